/** @file container.h Container engines over HTTP: Docker, Podman, Portainer. What the files of this layer share, and what jobs use. */
#ifndef OSDEAR_SRC_CONTAINER_H
#define OSDEAR_SRC_CONTAINER_H

#include <base/base.h>
#include <http/http.h>
#include <json/json.h>
#include <osdear/container.h>

/* ---- where an engine is (address.c, docker_context.c) ---- */

typedef enum osdear__place_kind { PLACE_UNIX, PLACE_TCP, PLACE_SSH, PLACE_PORTAINER } osdear__place_kind;

/* All texts live in the arena given to osdear__place_find(). */
typedef struct osdear__place {
  osdear__place_kind kind;
  const char *shown;       /* the address for messages, without secrets */
  const char *socket;      /* UNIX */
  const char *base_url;    /* TCP, PORTAINER: "https://host:port" */
  const char *environment; /* PORTAINER: its name or number */
  const char *ssh_host, *ssh_user, *ssh_port;
  const char *ca, *cert, *key;
  bool insecure;
} osdear__place;

/* What osdear_engine_options.settings may name; NULL: not given. */
typedef struct osdear__engine_settings {
  const char *docker_config, *tls_ca, *tls_cert, *tls_key, *tls_verify;
  const char *portainer_api_key, *portainer_username, *portainer_password, *ssh_program;
} osdear__engine_settings;

/* Texts go into the arena. */
MUST_USE osdear_status osdear__engine_settings_read(const osdear_pair *pairs, size_t count, osdear__arena *arena,
                                                    osdear__engine_settings *out, osdear_error **error);
MUST_USE osdear_status osdear__place_find(const char *address, const osdear__engine_settings *settings, osdear__arena *arena,
                                          osdear__place *out, osdear_error **error);
/* One address as it stands, without looking at the environment. */
MUST_USE osdear_status osdear__place_parse(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error);
/* The folder of Docker's configuration, or NULL when there is no home. In the arena. */
MUST_USE osdear_status osdear__docker_folder(const osdear__engine_settings *settings, osdear__arena *arena, const char **out,
                                             osdear_error **error);
/* The endpoint of a context: its address, and its certificates if it has any. `name` NULL: the current one; NULL in *address: the default. */
MUST_USE osdear_status osdear__docker_context(const char *folder, const char *name, osdear__arena *arena, const char **address,
                                              osdear__place *certificates, osdear_error **error);
/* A small file as text; NOT_FOUND when it is missing, LIMIT above `most` bytes. */
MUST_USE osdear_status osdear__small_file(const char *path, size_t most, osdear__buf *out, osdear_error **error);

/* ---- ssh (ssh.c): a socket here; each connection to it becomes one `ssh … docker system dial-stdio` ---- */

typedef struct osdear__ssh osdear__ssh;
MUST_USE osdear_status osdear__ssh_open(const osdear__place *place, const char *program, osdear__ssh **out, osdear_error **error);
const char *osdear__ssh_socket(const osdear__ssh *ssh);
/* The last line that the programs have written to their standard error since this was asked; none: nothing is appended. */
void osdear__ssh_take_words(osdear__ssh *ssh, osdear__buf *out);
void osdear__ssh_auto(osdear__ssh **ssh);

/* ---- registries (credentials.c) ---- */

/* The registry that an image's name starts with; "docker.io" where none does. */
osdear__str osdear__image_registry(const char *image);
/* "repository" and "tag" or "sha256:…" of a name; the tag is "latest" where none stands. */
void osdear__image_split(const char *image, osdear__str *repository, osdear__str *tag);
/* The value of X-Registry-Auth for the registry: from Docker's configuration, by a credential helper if that says so. *out stays empty when
 * there is nothing for it. */
MUST_USE osdear_status osdear__registry_auth(const char *folder, osdear__str registry, osdear__buf *out, osdear_error **error);
/* The same for a name and a password. */
void osdear__registry_auth_of(osdear__str registry, const char *username, const char *password, osdear__buf *out);

/* ---- engines (engine.c, request.c) ---- */

typedef struct osdear__portainer osdear__portainer; /* portainer.c */

struct osdear_engine {
  _Atomic int64_t references;
  osdear_context *context;
  osdear__http_client *client;
  osdear__ssh *ssh;
  osdear__portainer *portainer; /* NULL: not through one */
  osdear_engine *origin;        /* whose connections and Portainer this one borrows; NULL: they are its own */
  char *address;
  char *docker_folder; /* NULL: none */
  char *prefix;        /* before each path: "/v1.41", behind Portainer's proxy more */
  char api_version[16];
  int32_t api_minor;
  bool is_podman;
  int64_t timeout_ms;
  int64_t deadline_us; /* no request waits longer, but for quiet ones; 0: none. For the time of a call that has one of its own */
};
typedef osdear_engine osdear__engine;
void osdear__engine_auto(osdear_engine **engine);

/* Sets the deadline, unless there is an earlier one (INT64_MAX: none). Returns what stood there, to be put back. */
int64_t osdear__engine_bound(osdear_engine *engine, int64_t deadline_us);
/* What stands before each path: `version` ("/v4.0.0", ""), or the one agreed on (NULL). */
void osdear__engine_put_prefix(const osdear_engine *engine, const char *version, osdear__buf *out);

/* A request to the engine. Zero-initialise. */
typedef struct osdear__engine_request {
  const char *method;         /* NULL: GET */
  const char *path;           /* behind the version */
  const char *body;           /* JSON; NULL: none */
  const char *registry_auth;  /* X-Registry-Auth; NULL: none */
  osdear__http_source source; /* a tar file in place of `body` when `read` is set */
  int64_t idle_timeout_ms;    /* 0: the engine's; -1: none */
  int64_t timeout_ms;         /* 0: none */
  const char *version;        /* in place of the version agreed on: Podman's own calls; NULL: that one */
  bool of_portainer;          /* behind "/api" of the Portainer, not of the engine that it stands before */
  bool missing_is_fine;       /* 404 is no failure */
  bool repeat;                /* may be made again although it is a POST */
  bool
      is_quiet; /* pulled: may be silent for as long as it likes, from before its head on, which some send with its first byte only */
} osdear__engine_request;

/* Makes it, and turns what is not 2xx or 304 into an error. */
MUST_USE osdear_status osdear__engine_send(osdear_engine *engine, const osdear__engine_request *request,
                                           osdear__http_response *response, osdear_error **error);
/* The same, with the answer read as JSON. *out is NULL when there is no body. */
MUST_USE osdear_status osdear__engine_ask(osdear_engine *engine, const osdear__engine_request *request, osdear__arena *arena,
                                          const osdear__json **out, osdear_error **error);
/* The same, with the body pulled. */
MUST_USE osdear_status osdear__engine_pull(osdear_engine *engine, const osdear__engine_request *request,
                                           osdear__http_reader **out, osdear__http_response *response, osdear_error **error);
/* As osdear__http_read(), but a wait that was in vain is no failure: *is_silent says so, and that reading may go on. What an early reader was
 * refused comes in the engine's own words; UNAVAILABLE where a Portainer wants another token. */
MUST_USE osdear_status osdear__engine_read(osdear_engine *engine, osdear__http_reader *reader, void *out, size_t room,
                                           int64_t wait_ms, size_t *got, bool *is_silent, osdear_error **error);
/* Of a request that got no answer: an engine behind ssh is away for the reason that ssh gives. Returns the status that this makes. */
osdear_status osdear__engine_lost(const osdear_engine *engine, osdear_status st, osdear_error **error);
/* An engine that hangs fails here with TIMEOUT. One that is away does not fail: whoever is connected to it learns that by himself. */
MUST_USE osdear_status osdear__engine_check(osdear_engine *engine, osdear_error **error);
/* For who sends a GET himself, among many: its client, its URL, and a header that goes with it (NULL: none) with its value. */
MUST_USE osdear_status osdear__engine_question(osdear_engine *engine, const char *path, osdear__http_client **client,
                                               osdear__buf *url, const char **header, osdear__buf *value, osdear_error **error);
/* Of its answer: another token is to be had, and the question worth repeating. */
bool osdear__engine_is_to_log_in(osdear_engine *engine, const osdear__http_response *response);
/* The answer as a failure, in the service's own words. */
osdear_status osdear__engine_fail(const osdear__http_response *response, osdear_error **error);
/* By what the engine's words mean, whatever number it put before them; OSDEAR_OK when they say nothing known. */
osdear_status osdear__engine_meaning(osdear__str words, int32_t http_status);
/* What an object is addressed by. A Portainer knows by ids what belongs to whom, and denies its users what they call by name: there it is
 * the id, in the arena. Elsewhere, and where there is no such object, *out is `name`. */
MUST_USE osdear_status osdear__engine_id(osdear_engine *engine, osdear_object_kind kind, const char *name, osdear__arena *arena,
                                         const char **out, osdear_error **error);
/* "?filters=…" or with `&`, nothing when there are none. */
void osdear__put_filters(osdear__buf *out, char before, const osdear_pair *filters, size_t count);
/* "/containers/NAME" with NAME encoded. */
void osdear__put_name(osdear__buf *out, const char *name, const char *keep);

/* ---- JSON of engines ---- */

void osdear__json_put_pairs(osdear__buf *out, const osdear_pair *pairs, size_t count); /* {"k":"v"} */
void osdear__json_put_texts(osdear__buf *out, const char *const *texts, size_t count); /* ["a"] */
/* `over` laid over `base`: objects are merged, all else is replaced. */
void osdear__json_put_merged(osdear__buf *out, const osdear__json *base, const osdear__json *over);

/* ---- specs (spec.c) ---- */

/* The body of /containers/create. `labels` are put besides those of the spec; of its networks the first `network_count` are named. */
MUST_USE osdear_status osdear__spec_print(const osdear_container_spec *spec, const osdear_pair *labels, size_t label_count,
                                          size_t network_count, osdear__buf *out, osdear_error **error);
/* The same in every process and release. */
void osdear__lasting_hash(const char *data, size_t size, char out[17]);
/* The body of /containers/{id}/update. */
MUST_USE osdear_status osdear__spec_print_limits(const osdear_container_spec *spec, osdear__buf *out, osdear_error **error);

/* ---- frames (demux.c): standard output and error in one stream of bytes ---- */

/* Zero-initialise. Bytes are given as they come and come out as pieces that lie within what was given. */
typedef struct osdear__demux {
  bool is_raw; /* a terminal: all is standard output */
  unsigned char header[8];
  size_t header_size;
  uint32_t left;          /* of the frame */
  osdear_channel channel; /* of the frame */
} osdear__demux;
/* Takes bytes from the front of *data. *piece is empty when more bytes are needed. CORRUPT for a header that is none. */
MUST_USE osdear_status osdear__demux_next(osdear__demux *demux, osdear__str *data, osdear__str *piece, osdear_error **error);

/* ---- streams (stream.c) ---- */

typedef struct osdear__stream_log osdear__stream_log; /* a log that is followed (logs.c) */

struct osdear_engine_stream {
  osdear_engine *engine;
  osdear__http_reader *reader; /* one of these two */
  osdear__http_tunnel *tunnel;
  osdear__demux demux;
  bool is_json; /* whole JSON texts, else output */
  bool has_ended;
  osdear__buf bytes; /* received; from `at` on not handed out yet */
  size_t at;
  osdear__buf text; /* the JSON text being collected */
  int32_t depth;
  bool in_string, is_escaped;
  osdear__stream_log *log;
  osdear_status (*reopen)(osdear_engine_stream *stream,
                          osdear_error **error);                  /* events: when the engine went away; NULL: never */
  bool (*accept)(osdear_engine_stream *stream, osdear__str text); /* events: false for one that came before */
  char *exec_id;
  int64_t since_ns;  /* events: time of the last one */
  int64_t pause_us;  /* events: asked for again after so long; 0: they are one stream */
  int64_t ahead_us;  /* events: the engine's clock before ours */
  bool was_reopened; /* events: what is not newer than that was told before */
  char *path;        /* events: without `since` */
  int64_t quiet_ms;  /* since the last piece, or since the engine was asked */
};
MUST_USE osdear_status osdear__stream_new(osdear_engine *engine, osdear_engine_stream **out, osdear_error **error);
/* As osdear_engine_stream_next(); *is_silent: there was nothing within `wait_ms` (-1: as long as it takes), and it may be asked again. That an
 * engine hangs is found out meanwhile, and is TIMEOUT. */
MUST_USE osdear_status osdear__stream_poll(osdear_engine_stream *stream, int64_t wait_ms, osdear_chunk *chunk, bool *is_silent,
                                           osdear_error **error);
/* The next piece of output or of JSON, below logs and reopening. */
MUST_USE osdear_status osdear__stream_piece(osdear_engine_stream *stream, int64_t wait_ms, osdear_channel *channel,
                                            osdear__str *piece, bool *is_silent, osdear_error **error);
#define OSDEAR__SILENCE_MS 5000 /* silence is no sign of death; after so much of it, ask */
void osdear__stream_disconnect(osdear_engine_stream *stream);
typedef osdear_engine_stream osdear__engine_stream;
void osdear__engine_stream_auto(osdear_engine_stream **stream);

void osdear__stream_log_free(osdear__stream_log *log);
MUST_USE osdear_status osdear__stream_log_next(osdear_engine_stream *stream, int64_t wait_ms, osdear_chunk *chunk,
                                               bool *is_silent, osdear_error **error);
/* Waits a little, then a little longer, for an engine that is away. UNAVAILABLE when it stays away for two minutes. */
typedef struct osdear__patience {
  int64_t wait_us;
  int64_t until_us;
} osdear__patience;
MUST_USE osdear_status osdear__patience_wait(osdear__patience *patience, osdear_engine *engine, osdear_error **error);

/* ---- containers ---- */

struct osdear_container {
  osdear_engine *engine;
  char *id;
};
typedef osdear_container osdear__container;
void osdear__container_auto(osdear_container **container);
MUST_USE osdear_status osdear__container_of(osdear_engine *engine, osdear__str id, osdear_container **out, osdear_error **error);
/* GET …/json as a tree. */
MUST_USE osdear_status osdear__container_inspect(osdear_container *container, osdear__arena *arena, const osdear__json **out,
                                                 osdear_error **error);
osdear_container_state osdear__state_of(osdear__str word);
void osdear__status_of(const osdear__json *inspected, osdear_container_status_result *out);
/* How it ends, asked for before it does: then it is told even if somebody removes the container at once (wait.c). */
MUST_USE osdear_status osdear__end_ask(osdear_container *container, osdear__http_reader **out, osdear_error **error);
/* Waits so long for it. STATE where the engine does not know how it ended. */
MUST_USE osdear_status osdear__end_read(osdear_container *container, osdear__http_reader *reader, int64_t wait_ms,
                                        int32_t *exit_code, bool *is_silent, osdear_error **error);
/* STATE for the exit code of an end that the engine has lost. */
MUST_USE osdear_status osdear__check_exit_code(const osdear_container *container, int32_t exit_code, osdear_error **error);
/* Podman has systemd run health checks; where that does not, nobody does, unless it is asked to. */
MUST_USE osdear_status osdear__health_provoke(osdear_container *container, osdear_error **error);
/* Creates with labels of our own besides the spec's. */
MUST_USE osdear_status osdear__container_make(osdear_engine *engine, const osdear_container_spec *spec, const osdear_pair *labels,
                                              size_t label_count, osdear_container **out, osdear_error **error);
/* An engine like `engine` that calls for `context`. */
MUST_USE osdear_status osdear__engine_with(osdear_engine *engine, osdear_context *context, osdear_engine **out,
                                           osdear_error **error);
/* One with time of its own: that the caller gave up, or that its time is over, must not keep us from tidying. */
MUST_USE osdear_status osdear__engine_for_tidying(osdear_engine *engine, int64_t timeout_ms, osdear_engine **out,
                                                  osdear_error **error);

/* Sends only: an engine answers when the container has ended or was killed, and goes on with that when nobody listens any more. */
MUST_USE osdear_status osdear__container_ask_to_stop(osdear_container *container, int32_t grace_s, osdear_error **error);

/* A log that can be read on behind its end, of one channel: osdear__container_read_on() asks for what came since. */
MUST_USE osdear_status osdear__container_read_log(osdear_container *container, const osdear_logs_options *options,
                                                  osdear_engine_stream **out, osdear_error **error);
MUST_USE osdear_status osdear__container_read_on(osdear_engine_stream *stream, osdear_error **error);

/* ---- runs (run.c, sweep.c, owner.c) ---- */

#define OSDEAR__LABEL_RUN "org.osdear.run"
#define OSDEAR__LABEL_SPEC "org.osdear.spec"
#define OSDEAR__LABEL_OWNER "org.osdear.owner"
#define OSDEAR__LABEL_LASTING "org.osdear.lasting" /* outlives its owner: kept, or made to be taken up */
void osdear__owner_put(osdear__buf *out);
/* Known is only what becomes of processes of this boot and of this name space of processes. */
typedef enum osdear__owner_life { OWNER_UNKNOWN, OWNER_DEAD, OWNER_ALIVE } osdear__owner_life;
osdear__owner_life osdear__owner_look(osdear__str owner);
/* Removes with force, whatever the engine is doing meanwhile. */
MUST_USE osdear_status osdear__run_remove(osdear_engine *engine, const char *name, osdear_error **error);
#define OSDEAR__ID_ROOM 65
/* Of Podman: the id of a layer that has the name of a container without being one; "" for none. One that is being made is such a layer for a
 * moment. */
MUST_USE osdear_status osdear__leftover_find(osdear_engine *engine, const char *name, char id[OSDEAR__ID_ROOM],
                                             osdear_error **error);

/* ---- tar (tar.c): what the archive calls speak ---- */

/* Reads a tar as it comes and makes what it holds below `folder`, never outside. */
typedef struct osdear__untar osdear__untar;
MUST_USE osdear_status osdear__untar_new(const char *folder, osdear__untar **out, osdear_error **error);
MUST_USE osdear_status osdear__untar_write(osdear__untar *untar, const void *data, size_t size, osdear_error **error);
MUST_USE osdear_status osdear__untar_finish(osdear__untar *untar, osdear_error **error); /* CORRUPT when it was cut */
void osdear__untar_auto(osdear__untar **untar);
/* Writes the tar of a file or folder piece by piece. */
typedef struct osdear__tar osdear__tar;
MUST_USE osdear_status osdear__tar_new(const char *path, osdear__tar **out, osdear_error **error);
MUST_USE osdear_status osdear__tar_read(void *tar, void *out, size_t room, size_t *got,
                                        osdear_error **error); /* fits osdear__http_source */
MUST_USE osdear_status osdear__tar_rewind(void *tar, osdear_error **error);
void osdear__tar_auto(osdear__tar **tar);

/* ---- Portainer (portainer.c) ---- */

MUST_USE osdear_status osdear__portainer_open(osdear_context *context, const osdear__place *place,
                                              const osdear__engine_settings *settings, const osdear__http_config *config,
                                              osdear__portainer **out, osdear_error **error);
void osdear__portainer_free(osdear__portainer *portainer);
osdear__http_client *osdear__portainer_client(osdear__portainer *portainer);
/* "/api/endpoints/N": what its environment's requests start with. */
const char *osdear__portainer_prefix(const osdear__portainer *portainer);
int64_t osdear__portainer_environment(const osdear__portainer *portainer);
/* The header that lets a request in: *header is static, its value goes to `out`. Logs in first where that is the way. */
MUST_USE osdear_status osdear__portainer_credentials(osdear__portainer *portainer, const char **header, osdear__buf *out,
                                                     osdear_error **error);
/* Forgets the token, so that the next request logs in. False with an API key, which would be the same again. */
bool osdear__portainer_forget(osdear__portainer *portainer);

#endif
