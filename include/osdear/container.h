/** @file container.h One container, from its description to its results. */
#ifndef OSDEAR_CONTAINER_H
#define OSDEAR_CONTAINER_H

#include <osdear/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A container by its id. Keeps a reference to its engine, and is confined like it. Freeing it leaves the container as it is. */
typedef struct osdear_container osdear_container;

/** Something of the host's seen inside. Never grows. */
typedef struct osdear_mount {
  const char *source; /**< An absolute path of the engine's host, a volume's name, or NULL for a tmpfs. */
  const char *target; /**< An absolute path inside. */
  int32_t read_only;  /**< 1: not to be written. */
} osdear_mount;

/** A port inside, reachable from outside. Never grows. */
typedef struct osdear_port {
  int32_t container_port; /**< Inside. */
  int32_t host_port;      /**< Outside; 0: the engine chooses, -1: only declared. */
  const char *host_ip;    /**< The host's address; NULL: all of them. */
  const char *protocol;   /**< "tcp", "udp" or "sctp"; NULL: tcp. */
} osdear_port;

/** A network to be in. Never grows. */
typedef struct osdear_network {
  const char *name;    /**< Also "host", "none", "bridge" as the only one. */
  const char *aliases; /**< Names it is found by there, separated by commas; NULL: its own only. */
} osdear_network;

/** What a container is to be. Lists are NULL and 0 where there is nothing to say. */
typedef struct osdear_container_spec {
  size_t size;                      /**< sizeof this struct as the caller compiled it. */
  const char *image;                /**< Not NULL. */
  const char *name;                 /**< NULL: the engine invents one. */
  const char *const *command;       /**< Over the image's. */
  size_t command_count;             /**< Length of `command`. */
  const char *const *entrypoint;    /**< Over the image's. */
  size_t entrypoint_count;          /**< Length of `entrypoint`. */
  const osdear_pair *environment;   /**< Names and values. */
  size_t environment_count;         /**< Length of `environment`. */
  const osdear_pair *labels;        /**< Names and values. */
  size_t label_count;               /**< Length of `labels`. */
  const osdear_mount *mounts;       /**< Folders, volumes, memory. */
  size_t mount_count;               /**< Length of `mounts`. */
  const osdear_port *ports;         /**< Ports. */
  size_t port_count;                /**< Length of `ports`. */
  const osdear_network *networks;   /**< NULL: the engine's default. */
  size_t network_count;             /**< Length of `networks`. */
  const char *const *health;        /**< A command that tells whether it is well, or a single text for a shell; ("NONE") for none. */
  size_t health_count;              /**< Length of `health`; 0: the image's. */
  int64_t health_interval_ms;       /**< 0: the engine's 30 s. */
  int64_t health_timeout_ms;        /**< 0: the engine's 30 s. */
  int64_t health_start_ms;          /**< Failures in so long from the start do not count. */
  int32_t health_retries;           /**< 0: the engine's 3. */
  int32_t gpus;                     /**< How many; -1: all. */
  int64_t memory_bytes;             /**< At most; 0: no limit. */
  int64_t cpu_milli;                /**< Thousandths of a processor; 0: no limit. */
  int64_t pids;                     /**< Processes; 0: no limit. */
  int64_t shm_bytes;                /**< Of /dev/shm; 0: the engine's 64 MiB. */
  const char *restart;              /**< "no", "always", "unless-stopped", "on-failure", "on-failure:3"; NULL: no. */
  const char *user;                 /**< "name", "uid:gid"; NULL: the image's. */
  const char *folder;               /**< Where the command starts; NULL: the image's. */
  const char *hostname;             /**< NULL: the engine's choice. */
  const char *stop_signal;          /**< NULL: the image's, else TERM. */
  const char *const *cap_add;       /**< Capabilities added. */
  size_t cap_add_count;             /**< Length of `cap_add`. */
  const char *const *cap_drop;      /**< Capabilities taken away; "ALL" for all. */
  size_t cap_drop_count;            /**< Length of `cap_drop`. */
  int32_t tty;                      /**< 1: a terminal, which makes standard error one with standard output. */
  int32_t open_stdin;               /**< 1: standard input stays open for osdear_container_attach(). */
  int32_t init;                     /**< 1: a small init as process 1, which passes signals on. */
  int32_t read_only;                /**< 1: the root file system is not to be written. */
  int32_t privileged;               /**< 1: as root of the host. */
  const char *platform;             /**< Such as "linux/arm64"; NULL: the engine's own. */
  const char *extra_json;           /**< An object laid over the request that the fields above make, such as {"HostConfig":{"Sysctls":{}}}. */
} osdear_container_spec;
#define OSDEAR_CONTAINER_SPEC_INIT { sizeof(osdear_container_spec), NULL, NULL, NULL, 0, NULL, 0, NULL, 0, NULL, 0, \
  NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, 0, 0, 0, 0, 0, NULL, NULL }

/**
 * Make a container, which does not run yet.
 *
 * @param[out] out  Release with osdear_container_free().
 * @retval OSDEAR_ERR_NOT_FOUND  The engine does not have the image; osdear_image_pull() fetches it.
 * @retval OSDEAR_ERR_EXISTS     The name is taken.
 * @retval OSDEAR_ERR_ARGUMENT   A field that makes no sense; the message names it.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_create(osdear_engine *engine, const osdear_container_spec *spec, osdear_container **out,
                                                 osdear_error **error);
/** The container of this name or id. @param[out] out  Release with osdear_container_free(). @since 0.1 */
OSDEAR_API osdear_status osdear_container_get(osdear_engine *engine, const char *name, osdear_container **out, osdear_error **error);
OSDEAR_API void osdear_container_free(osdear_container *container);           /**< NULL is a no-op. */
OSDEAR_API const char *osdear_container_id(const osdear_container *container); /**< Borrowed. */

/**
 * Start it; one that runs already is no failure.
 *
 * @retval OSDEAR_ERR_ARGUMENT     Its command cannot be run.
 * @retval OSDEAR_ERR_UNAVAILABLE  The engine went away: it may have been started, and may have ended since. Not tried again here, as what
 *                                 has ended would run a second time.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_start(osdear_container *container, osdear_error **error);
/**
 * Ask it to end, and kill it when it has not by then; one that does not run is no failure.
 *
 * @param grace_s  Seconds until it is killed; -1: what the container says, else 10.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_stop(osdear_container *container, int32_t grace_s, osdear_error **error);
/** Stop, then start. @since 0.1 */
OSDEAR_API osdear_status osdear_container_restart(osdear_container *container, int32_t grace_s, osdear_error **error);
/** Send a signal, such as "HUP"; NULL: KILL. @retval OSDEAR_ERR_STATE  It does not run. @since 0.1 */
OSDEAR_API osdear_status osdear_container_kill(osdear_container *container, const char *signal, osdear_error **error);
OSDEAR_API osdear_status osdear_container_pause(osdear_container *container, osdear_error **error);   /**< Freeze it. */
OSDEAR_API osdear_status osdear_container_unpause(osdear_container *container, osdear_error **error); /**< Let it go on. */
/** Give it another name. @retval OSDEAR_ERR_EXISTS  The name is taken. @since 0.1 */
OSDEAR_API osdear_status osdear_container_rename(osdear_container *container, const char *name, osdear_error **error);
/** Change limits (`memory_bytes`, `cpu_milli`, `pids`) and `restart` of it; other fields of `spec` are not looked at. @since 0.1 */
OSDEAR_API osdear_status osdear_container_update(osdear_container *container, const osdear_container_spec *spec, osdear_error **error);
/** Remove it. @param options  NULL for defaults. @since 0.1 */
OSDEAR_API osdear_status osdear_container_remove(osdear_container *container, const osdear_remove_options *options, osdear_error **error);

/** How a container is, in words that all engines share. */
typedef int32_t osdear_container_state;
enum {
  OSDEAR_CONTAINER_OTHER = 0,   /**< A state that this build does not know. */
  OSDEAR_CONTAINER_CREATED = 1, /**< Not started yet. */
  OSDEAR_CONTAINER_RUNNING = 2,
  OSDEAR_CONTAINER_PAUSED = 3,
  OSDEAR_CONTAINER_EXITED = 4,  /**< Ended, or could not be restarted. */
  OSDEAR_CONTAINER_REMOVED = 5  /**< Being removed, or gone. */
};
/** What its health check says. */
typedef int32_t osdear_health;
enum { OSDEAR_HEALTH_NONE = 0, OSDEAR_HEALTH_STARTING = 1, OSDEAR_HEALTH_HEALTHY = 2, OSDEAR_HEALTH_UNHEALTHY = 3 };

/** How a container is. */
typedef struct osdear_container_status_result {
  size_t size;                  /**< sizeof this struct as the caller compiled it; set it before the call. */
  osdear_container_state state; /**< In shared words. */
  osdear_health health;         /**< NONE where it has no health check. */
  int32_t exit_code;            /**< Of one that exited; -1: the engine has lost it. */
  int32_t was_out_of_memory;    /**< 1: killed for want of memory. */
  int64_t started_us;           /**< 0: never. */
  int64_t finished_us;          /**< 0: not yet. */
} osdear_container_status_result;
#define OSDEAR_CONTAINER_STATUS_RESULT_INIT { sizeof(osdear_container_status_result), 0, 0, 0, 0, 0, 0 }

/** One line of a list. Never grows: more is in osdear_engine_list(). */
typedef struct osdear_container_entry {
  const char *id;               /**< The engine's. */
  const char *name;             /**< The first one, without the engine's slash. */
  const char *image;            /**< What it was made from, as it was asked for. */
  const char *status;           /**< In the engine's words, such as "Up 2 minutes (healthy)". */
  osdear_container_state state; /**< In shared words. */
  int64_t created_us;           /**< When it was made. */
} osdear_container_entry;
/**
 * The containers, newest first, including those that do not run.
 *
 * @param filters    As for osdear_engine_list().
 * @param[out] out   Release with osdear_container_entries_free(). NULL when there are none.
 * @param[out] count How many.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_list(osdear_engine *engine, const osdear_pair *filters, size_t filter_count,
                                               osdear_container_entry **out, size_t *count, osdear_error **error);
OSDEAR_API void osdear_container_entries_free(osdear_container_entry *entries); /**< NULL is a no-op. */

/** How it is now; all else is in osdear_engine_inspect(). @since 0.1 */
OSDEAR_API osdear_status osdear_container_status(osdear_container *container, osdear_container_status_result *result,
                                                 osdear_error **error);
/**
 * Wait until it has ended.
 *
 * @param timeout_ms      -1: as long as the context allows.
 * @param[out] exit_code  What it ended with.
 * @retval OSDEAR_ERR_TIMEOUT    It still runs, or the engine hangs.
 * @retval OSDEAR_ERR_NOT_FOUND  It was removed before.
 * @retval OSDEAR_ERR_STATE      It was never started, or the engine has lost how it ended: no exit code is made up.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_wait(osdear_container *container, int64_t timeout_ms, int32_t *exit_code, osdear_error **error);
/**
 * Wait until its health check says that it is well.
 *
 * @param timeout_ms  -1: as long as the context allows.
 * @retval OSDEAR_ERR_STATE    It ended, or has no health check.
 * @retval OSDEAR_ERR_TIMEOUT  Not by then; the message holds what the check said last.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_wait_healthy(osdear_container *container, int64_t timeout_ms, osdear_error **error);

/** Which part of a log. */
typedef struct osdear_logs_options {
  size_t size;       /**< sizeof this struct as the caller compiled it. */
  int32_t follow;    /**< 1: until the container ends, across a restart of the engine. */
  int32_t no_stdout; /**< 1: without standard output. */
  int32_t no_stderr; /**< 1: without standard error. */
  int64_t tail;      /**< The last so many lines; -1 (default): all. */
  int64_t since_us;  /**< From then on; 0 (default): from the start. */
  int64_t until_us;  /**< Up to then; 0 (default): to the end. */
} osdear_logs_options;
#define OSDEAR_LOGS_OPTIONS_INIT { sizeof(osdear_logs_options), 0, 0, 0, -1, 0, 0 }

/**
 * What it wrote. Each line carries its time; a stream that follows takes up again where it was cut, without loss or repeats.
 *
 * @param[out] out  Release with osdear_engine_stream_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_logs(osdear_container *container, const osdear_logs_options *options,
                                               osdear_engine_stream **out, osdear_error **error);
/**
 * Its output from now on and its standard input, if it was created with `open_stdin`.
 *
 * @retval OSDEAR_ERR_UNSUPPORTED  Through Portainer, which does not pass such connections on.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_attach(osdear_container *container, osdear_engine_stream **out, osdear_error **error);

/** How a command is run in a container. */
typedef struct osdear_exec_options {
  size_t size;                    /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *environment; /**< Names and values, besides the container's. */
  size_t environment_count;       /**< Length of `environment`. */
  const char *user;               /**< NULL (default): the container's. */
  const char *folder;             /**< NULL (default): the container's. */
  int32_t tty;                    /**< 1: a terminal. */
  int32_t open_stdin;             /**< 1: osdear_engine_stream_write() reaches it. Not through Portainer. */
} osdear_exec_options;
#define OSDEAR_EXEC_OPTIONS_INIT { sizeof(osdear_exec_options), NULL, 0, NULL, NULL, 0, 0 }

/**
 * Run a further command in it.
 *
 * @param command   At least one word.
 * @param options   NULL for defaults.
 * @param[out] out  Its output; then osdear_engine_stream_exit_code() tells how it ended.
 * @retval OSDEAR_ERR_STATE  The container does not run.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_exec(osdear_container *container, const char *const *command, size_t command_count,
                                               const osdear_exec_options *options, osdear_engine_stream **out, osdear_error **error);
/**
 * What it uses: a JSON text each second.
 *
 * @param once  1: a single text.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_stats(osdear_container *container, int32_t once, osdear_engine_stream **out,
                                                osdear_error **error);

/**
 * Copy a file or a folder with all below it into the container.
 *
 * @param path    On this machine.
 * @param target  An existing folder inside; the copy keeps its last name.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_copy_in(osdear_container *container, const char *path, const char *target, osdear_error **error);
/**
 * Copy a file or a folder with all below it out of the container, which need not run. Nothing is written outside of `target`,
 * whatever names and links the container holds.
 *
 * @param path    Inside.
 * @param target  A folder on this machine, made if it is missing; the copy keeps its last name.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_copy_out(osdear_container *container, const char *path, const char *target,
                                                   osdear_error **error);

/** What a run does with a container of its name that is there already. */
typedef int32_t osdear_existing;
enum {
  OSDEAR_EXISTING_REPLACE = 0, /**< Remove it and begin anew; fail with EXISTS when it runs and the process that waits for it is known to live. */
  OSDEAR_EXISTING_TAKE_UP = 1, /**< Follow it to its end, if it was made from the same description; else fail with EXISTS. */
  OSDEAR_EXISTING_FAIL = 2     /**< Fail with EXISTS. */
};

/** How a job is run in a container. */
typedef struct osdear_run_options {
  size_t size;                 /**< sizeof this struct as the caller compiled it. */
  const osdear_pull_options *pull; /**< How its image is fetched; NULL (default): if the engine does not have it. */
  int32_t never_pull;          /**< 1: an image that is missing is a failure. */
  osdear_existing existing;    /**< What to do with one of its name; REPLACE by default. Only containers of such runs are touched. */
  int64_t timeout_ms;          /**< It is stopped and removed after so long; 0 (default): as long as the context allows. */
  int32_t grace_s;             /**< When it is given up: seconds from TERM to KILL; 0 (default): at once. */
  int32_t keep;                /**< 1: it stays when it ended by itself. */
  int32_t stdout_fd;           /**< Its standard output goes there; -1 (default): nowhere. */
  int32_t stderr_fd;           /**< Its standard error. */
  const osdear_pair *results;  /**< Path inside to folder here: copied out when it has ended, whatever its exit code. */
  size_t result_count;         /**< Length of `results`. */
  int64_t last_bytes;          /**< How much of the end of its output is kept for the result; 0 (default): 8 KiB. */
  const char *run_id;          /**< Kept as its label `org.osdear.run`; NULL (default): a new UUID. */
} osdear_run_options;
#define OSDEAR_RUN_OPTIONS_INIT { sizeof(osdear_run_options), NULL, 0, 0, 0, 0, 0, -1, -1, NULL, 0, 0, NULL }

/** How a run ended. Emptied with osdear_run_result_clear(). */
typedef struct osdear_run_result {
  size_t size;               /**< sizeof this struct as the caller compiled it; set it before the call. */
  int32_t exit_code;         /**< Of its command. */
  int32_t was_out_of_memory; /**< 1: killed for want of memory. */
  int32_t was_taken_up;      /**< 1: an earlier run's container was followed to its end. */
  char *container_id;        /**< Which it was. */
  char *last_output;         /**< The end of its output, from the start of a line. */
} osdear_run_result;
#define OSDEAR_RUN_RESULT_INIT { sizeof(osdear_run_result), 0, 0, 0, NULL, NULL }

/**
 * Run a job in a container, from pulling its image to removing what is left of it.
 *
 * The container's name is `spec->name`, or made from image, command and the rest of the description, so that the same job has the
 * same name. It carries the labels `org.osdear.run` (the run's id), `org.osdear.spec` (what it was made from) and
 * `org.osdear.owner` (the process that waits for it). On success, on failure, on cancellation and when the time is over it is removed.
 * When the process that waited for it has died, it is removed by the next run on this machine, or by osdear_container_sweep().
 *
 * @param options        NULL for defaults.
 * @param[in,out] result Optional; its `size` must be set.
 * @retval OSDEAR_OK            It ended by itself; its exit code is in the result, whatever it is.
 * @retval OSDEAR_ERR_EXISTS    One of its name is there, and `existing` does not allow to take it up or replace it.
 * @retval OSDEAR_ERR_TIMEOUT   The time was over; nothing is left of it.
 * @retval OSDEAR_ERR_CANCELLED It was given up; nothing is left of it.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_run(osdear_engine *engine, const osdear_container_spec *spec, const osdear_run_options *options,
                                              osdear_run_result *result, osdear_error **error);
OSDEAR_API void osdear_run_result_clear(osdear_run_result *result); /**< Frees what it holds. NULL is a no-op. */
/**
 * Remove the containers of runs whose process has died on this machine, or of one run.
 *
 * @param run_id        Only the containers of this run, whether its process lives or not; NULL: of all that died.
 * @param[out] removed  How many; may be NULL.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_container_sweep(osdear_engine *engine, const char *run_id, int32_t *removed, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
