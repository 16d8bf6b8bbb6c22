/** @file stack.h Services that belong together on one host: a stack of Portainer's, or a group of containers with networks and volumes of its own. */
#ifndef OSDEAR_STACK_H
#define OSDEAR_STACK_H

#include <osdear/container.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A stack by its name. Its containers, networks and volumes carry Compose's labels (`com.docker.compose.project` is the name), so that Compose
 * and Portainer see them, too. Keeps a reference to its engine, and is confined like it. Freeing it leaves the stack as it is.
 */
typedef struct osdear_stack osdear_stack;

/** One line of a list. Never grows. */
typedef struct osdear_stack_entry {
  const char *name;     /**< Of the stack. */
  int64_t id;           /**< Portainer's; 0: no stack of Portainer's, known by the labels of its containers. */
  int32_t is_wanted_up; /**< What Portainer notes down: a wish, not a state. 1 for stacks that are not Portainer's. */
  int32_t containers;   /**< How many there are. */
  int32_t running;      /**< How many of them run. */
} osdear_stack_entry;
/**
 * The stacks of an engine, by name: those that have containers, and those that Portainer knows.
 *
 * @param[out] out   Release with osdear_stack_entries_free(). NULL when there are none.
 * @param[out] count How many.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_list(osdear_engine *engine, osdear_stack_entry **out, size_t *count, osdear_error **error);
OSDEAR_API void osdear_stack_entries_free(osdear_stack_entry *entries); /**< NULL is a no-op. */

/** Whether images are fetched before services are brought up. */
typedef int32_t osdear_stack_pull;
enum {
  OSDEAR_STACK_PULL_MISSING = 0, /**< Those that the engine does not have. */
  OSDEAR_STACK_PULL_ALWAYS = 1,  /**< All of them; services whose image changed are made anew. */
  OSDEAR_STACK_PULL_NEVER = 2    /**< None. Through Portainer, which fetches what is missing, this is as MISSING. */
};

/** How a stack is brought up. */
typedef struct osdear_stack_options {
  size_t size;                    /**< sizeof this struct as the caller compiled it. */
  osdear_stack_pull pull;         /**< MISSING by default. */
  int32_t keep_dropped;           /**< 1: services that are no longer in it go on. */
  const osdear_pair *environment; /**< Portainer: values for the file's variables; those of before stay where none is given. */
  size_t environment_count;       /**< Length of `environment`. */
  int64_t timeout_ms;             /**< Until all of it is up; 0 (default): 10 minutes. */
} osdear_stack_options;
#define OSDEAR_STACK_OPTIONS_INIT { sizeof(osdear_stack_options), 0, 0, NULL, 0, 0 }

/**
 * The stack of this name.
 *
 * @param[out] out  Release with osdear_stack_free().
 * @retval OSDEAR_ERR_NOT_FOUND  Portainer does not know it, and no container, network or volume has its label.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_get(osdear_engine *engine, const char *name, osdear_stack **out, osdear_error **error);
OSDEAR_API void osdear_stack_free(osdear_stack *stack);             /**< NULL is a no-op. */
OSDEAR_API const char *osdear_stack_name(const osdear_stack *stack); /**< Borrowed. */

/* ---- Portainer's stacks ---- */

/**
 * Have Portainer make a stack from a Compose file, and wait until its containers are up, whatever Portainer says of it.
 *
 * @param name     Of a-z, 0-9, `-` and `_`: what Portainer would make of another is not guessed.
 * @param file     The Compose file's text.
 * @param options  NULL for defaults.
 * @param[out] out Release with osdear_stack_free().
 * @retval OSDEAR_ERR_EXISTS       There is one, or there are containers of that name, or another was made at the same time: then that one runs.
 * @retval OSDEAR_ERR_ARGUMENT     The file cannot be brought up; the message holds Compose's words. Nothing is left of it.
 * @retval OSDEAR_ERR_STATE        It was made, but a service ended; osdear_stack_get() finds it.
 * @retval OSDEAR_ERR_TIMEOUT      It was made, but is not up in time; osdear_stack_get() finds it.
 * @retval OSDEAR_ERR_UNSUPPORTED  The engine is not reached through Portainer: osdear_stack_up() works with any.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_create(osdear_engine *engine, const char *name, const char *file, const osdear_stack_options *options,
                                             osdear_stack **out, osdear_error **error);
/**
 * Have Portainer bring a stack up to date, and wait until its containers are up. A stack that was stopped starts.
 *
 * When an update fails, Portainer removes the containers that ran. What ran is then started again as it was; osdear_error_code() is
 * "restored", or "lost" when that failed as well.
 *
 * @param file     The Compose file's text; NULL: as it is.
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_ARGUMENT     The file cannot be brought up, NOT_FOUND or DENIED where an image was the reason.
 * @retval OSDEAR_ERR_STATE        It was updated, but a service ended.
 * @retval OSDEAR_ERR_UNSUPPORTED  It is no stack of Portainer's.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_update(osdear_stack *stack, const char *file, const osdear_stack_options *options,
                                             osdear_error **error);
/** Its Compose file, as Portainer keeps it. @param[out] file  Release with osdear_text_free(). @since 0.1 */
OSDEAR_API osdear_status osdear_stack_file(osdear_stack *stack, char **file, osdear_error **error);

/* ---- stacks of containers, on any engine ---- */

/** One service of a stack. Never grows: what is new goes into the container's description. */
typedef struct osdear_service {
  const char *name;                  /**< Of letters, digits, `-`, `_` and `.`; also its name on the stack's networks. */
  const osdear_container_spec *spec; /**< Its `name` stays NULL. Networks and volumes that the stack declares are the stack's own; without
                                          networks it is in the stack's default one. */
  const char *after;                 /**< Services it waits for, such as "db:healthy,setup:ended,cache"; without a word they must run. NULL: none. */
} osdear_service;

/** What a stack is to be. */
typedef struct osdear_stack_spec {
  size_t size;                    /**< sizeof this struct as the caller compiled it. */
  const char *name;               /**< Of a-z, 0-9, `-` and `_`. */
  const osdear_service *services; /**< In any order. */
  size_t service_count;           /**< Length of `services`. */
  const char *const *networks;    /**< Names that services use in `networks`; NULL: none besides the default one. */
  size_t network_count;           /**< Length of `networks`. */
  const char *const *volumes;     /**< Names that services use in `mounts`; NULL: none. */
  size_t volume_count;            /**< Length of `volumes`. */
} osdear_stack_spec;
#define OSDEAR_STACK_SPEC_INIT { sizeof(osdear_stack_spec), NULL, NULL, 0, NULL, 0, NULL, 0 }

/**
 * Bring a stack of containers up: networks and volumes first, then each service when those it waits for are ready, until all are up.
 *
 * What is there already and was made from the same description stays as it is; what changed is made anew; what was dropped is removed.
 * When a stack that was not there before cannot be brought up, nothing is left of it but its volumes.
 *
 * @param options  NULL for defaults; `environment` is not looked at.
 * @param[out] out Release with osdear_stack_free(). May be NULL.
 * @retval OSDEAR_ERR_ARGUMENT  A name that is none or is given twice, a service that waits for one that is missing, or for itself.
 * @retval OSDEAR_ERR_STATE     A service ended; the message names it.
 * @retval OSDEAR_ERR_EXISTS    A network, volume or container of that name belongs to somebody else.
 * @retval OSDEAR_ERR_TIMEOUT   Not all of it is up in time.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_up(osdear_engine *engine, const osdear_stack_spec *spec, const osdear_stack_options *options,
                                         osdear_stack **out, osdear_error **error);

/* ---- any stack ---- */

/** How a stack is, by its containers. */
typedef struct osdear_stack_status_result {
  size_t size;          /**< sizeof this struct as the caller compiled it; set it before the call. */
  int64_t id;           /**< Portainer's; 0: no stack of Portainer's. */
  int32_t is_wanted_up; /**< As in osdear_stack_entry. */
  int32_t containers;   /**< How many there are. */
  int32_t running;      /**< How many of them run. */
  int32_t ready;        /**< How many of those are well, or have no health check. */
  int32_t failed;       /**< How many ended with an exit code other than 0. */
} osdear_stack_status_result;
#define OSDEAR_STACK_STATUS_RESULT_INIT { sizeof(osdear_stack_status_result), 0, 0, 0, 0, 0, 0 }

/** How it is now. @since 0.1 */
OSDEAR_API osdear_status osdear_stack_status(osdear_stack *stack, osdear_stack_status_result *result, osdear_error **error);

/** Start it, each service after those it waits for, and wait until it is up. One that is up is no failure.
 *  @param timeout_ms  0: 10 minutes. @since 0.1 */
OSDEAR_API osdear_status osdear_stack_start(osdear_stack *stack, int64_t timeout_ms, osdear_error **error);
/**
 * Stop it, each service before those it waited for, and wait until it is down. One that is down is no failure. Containers stay, but
 * for stacks of Portainer's, which removes them; osdear_stack_start() makes them anew there.
 *
 * @param timeout_ms  0: 10 minutes.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_stop(osdear_stack *stack, int64_t timeout_ms, osdear_error **error);
/** Remove it: its containers, in the order of a stop, and its networks. @param volumes  1: its volumes, too. @since 0.1 */
OSDEAR_API osdear_status osdear_stack_remove(osdear_stack *stack, int32_t volumes, osdear_error **error);
/**
 * Wait until all its containers are up or down. Up: each runs, is well if it has a health check, and has been so for a second; those
 * that ended with exit code 0 have done what they were for. Down: none runs.
 *
 * @param up          1: up; 0: down.
 * @param timeout_ms  0: look once, without waiting for more than that second.
 * @retval OSDEAR_ERR_STATE    A container ended and will not be started again, or there are none.
 * @retval OSDEAR_ERR_TIMEOUT  Not in time; the message names what is missing.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stack_verify(osdear_stack *stack, int32_t up, int64_t timeout_ms, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
