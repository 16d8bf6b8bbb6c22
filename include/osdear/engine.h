/** @file engine.h A container engine: Docker, Podman, or a Portainer environment; its images, networks, volumes and events. */
#ifndef OSDEAR_ENGINE_H
#define OSDEAR_ENGINE_H

#include <osdear/context.h>
#include <osdear/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The way to an engine. Counted by reference; confined: one thread at a time, together with all that was made from it. */
typedef struct osdear_engine osdear_engine;

/** How to reach it. */
typedef struct osdear_engine_options {
  size_t size;                 /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *settings; /**< By name, see osdear_engine_open(); NULL (default): none. */
  size_t setting_count;        /**< Length of `settings`. */
  int64_t timeout_ms;          /**< How long an answer may be silent where none is waited for on purpose; 0 (default): 60 s. */
} osdear_engine_options;
#define OSDEAR_ENGINE_OPTIONS_INIT { sizeof(osdear_engine_options), NULL, 0, 0 }

/**
 * Find an engine and agree on a version of its interface.
 *
 * Settings: `docker_config` (the folder of config.json; default `DOCKER_CONFIG`, then ~/.docker), `tls_ca`, `tls_cert`, `tls_key`
 * (PEM files; default those of `DOCKER_CERT_PATH` or of the context), `tls_verify` ("false" trusts any certificate),
 * `portainer_api_key`, or `portainer_username` and `portainer_password` (default `PORTAINER_API_KEY`, `PORTAINER_USERNAME`,
 * `PORTAINER_PASSWORD`), `ssh_program` (default "ssh").
 *
 * @param context  A reference is kept; its cancellation and deadline hold for every call with this engine.
 * @param address  `unix:///path`, `tcp://host:port`, `ssh://user@host`, `podman`, `portainer+https://host:9443/environment`,
 *                 `context:name`, or `docker`; NULL means `docker`: what `DOCKER_HOST` names, then the current context of Docker's
 *                 configuration, then the usual socket.
 * @param options  NULL for defaults.
 * @param[out] out A new reference: release with osdear_engine_unref().
 * @retval OSDEAR_ERR_ARGUMENT     An address or setting that is none of these.
 * @retval OSDEAR_ERR_UNAVAILABLE  Nothing answers there; the message says what was tried.
 * @retval OSDEAR_ERR_DENIED       Not allowed to open the socket, or wrong credentials.
 * @retval OSDEAR_ERR_UNSUPPORTED  The engine speaks no version from 1.41 on.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_open(osdear_context *context, const char *address, const osdear_engine_options *options,
                                            osdear_engine **out, osdear_error **error);
OSDEAR_API osdear_engine *osdear_engine_ref(osdear_engine *engine); /**< Another reference, returned. */
OSDEAR_API void osdear_engine_unref(osdear_engine *engine);         /**< NULL is a no-op. */
OSDEAR_API const char *osdear_engine_address(const osdear_engine *engine);     /**< What was reached, without secrets. Borrowed. */
OSDEAR_API const char *osdear_engine_kind(const osdear_engine *engine);        /**< "docker" or "podman". Static. */
OSDEAR_API const char *osdear_engine_api_version(const osdear_engine *engine); /**< The version agreed on, such as "1.41". Borrowed. */

/**
 * Any request of the Engine API, for what has no call of its own.
 *
 * @param method    "GET", "POST", "PUT", "DELETE" or "HEAD".
 * @param path      With query, without version: "/info", "/containers/json?all=1".
 * @param body      JSON, or NULL for none.
 * @param[out] json The answer's text, "" where there is none: release with osdear_text_free().
 * @retval OSDEAR_ERR_NOT_FOUND  As the engine says; EXISTS or CONFLICT for its 409, DENIED for 401 and 403.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_request(osdear_engine *engine, const char *method, const char *path, const char *body,
                                               char **json, osdear_error **error);

/** What an engine holds. */
typedef int32_t osdear_object_kind;
enum { OSDEAR_CONTAINERS = 0, OSDEAR_IMAGES = 1, OSDEAR_NETWORKS = 2, OSDEAR_VOLUMES = 3 };

/**
 * All that the engine knows of one object, as the engine's own JSON.
 *
 * @param name      Name or id.
 * @param[out] json Release with osdear_text_free().
 * @retval OSDEAR_ERR_NOT_FOUND  It is not there.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_inspect(osdear_engine *engine, osdear_object_kind kind, const char *name, char **json,
                                               osdear_error **error);
/**
 * The objects of a kind, as a JSON array; containers include those that do not run.
 *
 * @param filters   The engine's filters, such as {"label", "app=etl"}; one key may come several times. NULL for none.
 * @param[out] json Release with osdear_text_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_list(osdear_engine *engine, osdear_object_kind kind, const osdear_pair *filters,
                                            size_t filter_count, char **json, osdear_error **error);

/** How an object is removed. */
typedef struct osdear_remove_options {
  size_t size;     /**< sizeof this struct as the caller compiled it. */
  int32_t force;   /**< 1: a container that runs is killed, an image goes although containers use it. */
  int32_t volumes; /**< 1: a container's anonymous volumes go, too. */
  int32_t missing; /**< 1: that it is not there is no failure. */
} osdear_remove_options;
#define OSDEAR_REMOVE_OPTIONS_INIT { sizeof(osdear_remove_options), 0, 0, 0 }

/**
 * Remove one object.
 *
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_NOT_FOUND  It is not there, and `missing` is not set.
 * @retval OSDEAR_ERR_CONFLICT   It is in use, or runs.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_remove(osdear_engine *engine, osdear_object_kind kind, const char *name,
                                              const osdear_remove_options *options, osdear_error **error);
/**
 * Remove what nothing uses: containers that stopped, dangling images, networks and volumes without containers.
 *
 * @param filters   Such as {"label", "app=etl"}; NULL for none.
 * @param[out] json What was removed, as the engine tells it: release with osdear_text_free(). May be NULL.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_prune(osdear_engine *engine, osdear_object_kind kind, const osdear_pair *filters,
                                             size_t filter_count, char **json, osdear_error **error);

/** How a network or a volume is made. */
typedef struct osdear_object_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  const char *driver;         /**< NULL (default): the engine's. */
  const osdear_pair *options; /**< The driver's options; NULL (default): none. */
  size_t option_count;        /**< Length of `options`. */
  const osdear_pair *labels;  /**< NULL (default): none. */
  size_t label_count;         /**< Length of `labels`. */
  int32_t internal;           /**< Networks: 1: no way out of it. */
  int32_t if_not_exists;      /**< 1: that one of this name is there already is no failure. */
} osdear_object_options;
#define OSDEAR_OBJECT_OPTIONS_INIT { sizeof(osdear_object_options), NULL, NULL, 0, NULL, 0, 0, 0 }

/**
 * Make a network. A name that is taken is a failure on every engine, also on those that allow it.
 *
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_EXISTS  There is one of this name, and `if_not_exists` is not set.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_network_create(osdear_engine *engine, const char *name, const osdear_object_options *options,
                                                      osdear_error **error);
/** Make a volume. As for networks. @since 0.1 */
OSDEAR_API osdear_status osdear_engine_volume_create(osdear_engine *engine, const char *name, const osdear_object_options *options,
                                                     osdear_error **error);

/* ---- images ---- */

/** How an image is fetched. */
typedef struct osdear_pull_options {
  size_t size;             /**< sizeof this struct as the caller compiled it. */
  const char *platform;    /**< Such as "linux/arm64"; NULL (default): the engine's own. */
  const char *username;    /**< For the registry; NULL (default): from Docker's configuration and its credential helpers. */
  const char *password;    /**< Belongs to `username`. */
  int32_t only_if_missing; /**< 1: an image that the engine has is not asked for again. */
} osdear_pull_options;
#define OSDEAR_PULL_OPTIONS_INIT { sizeof(osdear_pull_options), NULL, NULL, NULL, 0 }

/**
 * Fetch an image from its registry. The context's progress tells the bytes done and known of.
 *
 * @param image    "registry/repository:tag" or "…@digest"; the tag is "latest" where none stands.
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_NOT_FOUND    The registry has no such image.
 * @retval OSDEAR_ERR_DENIED       It wants other credentials, or any.
 * @retval OSDEAR_ERR_UNAVAILABLE  The registry did not answer.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_image_pull(osdear_engine *engine, const char *image, const osdear_pull_options *options,
                                           osdear_error **error);
/** Whether the engine has the image. @param[out] present  1 or 0. @since 0.1 */
OSDEAR_API osdear_status osdear_image_present(osdear_engine *engine, const char *image, int32_t *present, osdear_error **error);
/** Give an image another name, "repository:tag". @since 0.1 */
OSDEAR_API osdear_status osdear_image_tag(osdear_engine *engine, const char *image, const char *name, osdear_error **error);
/** Bring in images from a file that `docker save` wrote. @since 0.1 */
OSDEAR_API osdear_status osdear_image_load(osdear_engine *engine, const char *path, osdear_error **error);
/**
 * Make an image from a tar file of a root file system.
 *
 * @param path     The tar file, compressed or not.
 * @param name     "repository:tag".
 * @param command  The image's default command, ended by NULL; may be NULL.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_image_import(osdear_engine *engine, const char *path, const char *name, const char *const *command,
                                             osdear_error **error);

/* ---- streams ---- */

/** What an engine sends bit by bit: logs, output, events, statistics. Pulled; confined like its engine. */
typedef struct osdear_engine_stream osdear_engine_stream;

/** Where a piece of output came from. */
typedef int32_t osdear_channel;
enum { OSDEAR_CHANNEL_MESSAGE = 0, OSDEAR_CHANNEL_STDOUT = 1, OSDEAR_CHANNEL_STDERR = 2 };

/** A piece of a stream. */
typedef struct osdear_chunk {
  size_t size;            /**< sizeof this struct as the caller compiled it; set it before the call. */
  osdear_channel channel; /**< MESSAGE: one whole JSON text, of events and statistics. */
  const char *data;       /**< Borrowed until the next call with the stream; NULL at its end. */
  size_t data_size;       /**< Bytes at `data`. */
  int64_t time_us;        /**< When the engine received a line of a log; 0 where it is not known. */
} osdear_chunk;
#define OSDEAR_CHUNK_INIT { sizeof(osdear_chunk), 0, NULL, 0, 0 }

/**
 * Wait for the next piece.
 *
 * @param[out] chunk  Its `data` is NULL once the stream has ended.
 * @retval OSDEAR_ERR_UNAVAILABLE  The engine went away and a stream that follows could not take up again.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_stream_next(osdear_engine_stream *stream, osdear_chunk *chunk, osdear_error **error);
/** Send bytes to the standard input of what the stream is attached to. @since 0.1 */
OSDEAR_API osdear_status osdear_engine_stream_write(osdear_engine_stream *stream, const void *data, size_t size, osdear_error **error);
/** End its standard input. @since 0.1 */
OSDEAR_API osdear_status osdear_engine_stream_close_input(osdear_engine_stream *stream, osdear_error **error);
/** The exit code of a command that osdear_container_exec() started, once its stream has ended. @since 0.1 */
OSDEAR_API osdear_status osdear_engine_stream_exit_code(osdear_engine_stream *stream, int32_t *exit_code, osdear_error **error);
OSDEAR_API void osdear_engine_stream_free(osdear_engine_stream *stream); /**< NULL is a no-op. Leaves the other end running. */

/** Which events. */
typedef struct osdear_events_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *filters; /**< Such as {"type", "container"}, {"event", "die"}; NULL (default): all. */
  size_t filter_count;        /**< Length of `filters`. */
  int64_t since_us;           /**< From then on; 0 (default): from now on. */
  int64_t until_us;           /**< Ends there; 0 (default): follows. */
} osdear_events_options;
#define OSDEAR_EVENTS_OPTIONS_INIT { sizeof(osdear_events_options), NULL, 0, 0, 0 }

/**
 * What happens in the engine, a JSON text for each event. A stream that follows takes up again when the engine comes back.
 *
 * @param[out] out  Release with osdear_engine_stream_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_engine_events(osdear_engine *engine, const osdear_events_options *options, osdear_engine_stream **out,
                                              osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
