/** @file stack.h What a stack is made of: containers that carry its name as a label. Private to this layer. */
#ifndef OSDEAR_SRC_CONTAINER_STACK_H
#define OSDEAR_SRC_CONTAINER_STACK_H

#include <container/container.h>
#include <osdear/stack.h>

#define OSDEAR__LABEL_PROJECT "com.docker.compose.project"
#define OSDEAR__LABEL_SERVICE "com.docker.compose.service"
#define OSDEAR__LABEL_HASH "com.docker.compose.config-hash"
#define OSDEAR__LABEL_NEEDS "com.docker.compose.depends_on"
#define OSDEAR__STACK_TIMEOUT_MS INT64_C(600000)
#define OSDEAR__STACK_TIDYING_MS INT64_C(300000)

struct osdear_stack {
  osdear_engine *engine;
  char *name;
  int64_t id; /* Portainer's; 0: none */
};
typedef osdear_stack osdear__stack;
void osdear__stack_auto(osdear_stack **stack);
MUST_USE osdear_status osdear__stack_of(osdear_engine *engine, const char *name, int64_t id, osdear_stack **out,
                                        osdear_error **error);
/* ARGUMENT unless it is a name that Compose and Portainer take as it is. */
MUST_USE osdear_status osdear__stack_check_name(const char *name, osdear_error **error);
/* The moment when so much time will be over; 0 stands for the default. */
int64_t osdear__stack_deadline(int64_t timeout_ms);

/* ---- order (order.c) ---- */

/* `needs`: "db:healthy,cache", or as Compose's label has it, "db:service_healthy:false". */
typedef struct osdear__node {
  const char *name;
  const char *needs;
} osdear__node;
/* The next of them: false at the end. *at starts as `needs`. *word is what stands behind the colon. */
bool osdear__needs_next(const char **at, osdear__str *name, osdear__str *word);
/* Each behind those that it needs, as indexes. False when some wait for each other: these come last. */
bool osdear__order(const osdear__node *nodes, size_t count, size_t *order);

/* ---- members (members.c) ---- */

/* A container of a stack. Texts live in the arena it was found with. */
typedef struct osdear__member {
  const char *id, *service, *needs, *hash, *image;
  osdear_container_status_result status;
  bool is_restarting;
  bool will_restart; /* although it ended */
} osdear__member;
typedef struct osdear__members {
  osdear__member *items;
  size_t count;
} osdear__members;
MUST_USE osdear_status osdear__members_find(osdear_engine *engine, const char *project, osdear__arena *arena,
                                            osdear__members *out, osdear_error **error);
bool osdear__member_runs(const osdear__member *member);
/* Waits as osdear_stack_verify() does. */
MUST_USE osdear_status osdear__members_await(osdear_engine *engine, const char *project, bool up, int64_t deadline,
                                             osdear_error **error);
/* Starts them in order. */
MUST_USE osdear_status osdear__members_start(osdear_engine *engine, const osdear__members *members, int64_t deadline,
                                             osdear_error **error);
/* Stops them in reverse order, and removes them where `remove` says so. One that is gone is no failure. */
MUST_USE osdear_status osdear__members_stop(osdear_engine *engine, const osdear__members *members, bool remove,
                                            osdear_error **error);
/* Waits until a container is what another waits for: "healthy", "ended", or nothing for started. */
MUST_USE osdear_status osdear__member_await(osdear_engine *engine, const char *id, osdear__str word, int64_t deadline,
                                            osdear_error **error);
/* Those whose service is not among the names. */
MUST_USE osdear_status osdear__members_drop(osdear_engine *engine, const char *project, const char *const *services, size_t count,
                                            osdear_error **error);
/* All that carries the stack's label: containers, networks, and volumes where that is asked for. */
MUST_USE osdear_status osdear__members_remove(osdear_engine *engine, const char *project, bool volumes, osdear_error **error);

/* ---- Portainer's (portainer_stack.c); `engine->portainer` is set ---- */

/* Each row of Portainer's that is of this environment. *rows may be NULL. */
MUST_USE osdear_status osdear__portainer_stacks(osdear_engine *engine, osdear__arena *arena, const osdear__json **rows,
                                                osdear_error **error);
/* The oldest row of this name other than the row `besides` (0: of all); *id 0: none. */
MUST_USE osdear_status osdear__portainer_stack_find(osdear_engine *engine, const char *name, int64_t besides, int64_t *id,
                                                    bool *is_wanted_up, osdear_error **error);
bool osdear__portainer_row_is_active(const osdear__json *row);
MUST_USE osdear_status osdear__portainer_stack_start(osdear_stack *stack, int64_t deadline, osdear_error **error);
MUST_USE osdear_status osdear__portainer_stack_stop(osdear_stack *stack, int64_t deadline, osdear_error **error);
MUST_USE osdear_status osdear__portainer_stack_delete(osdear_engine *engine, int64_t id, osdear_error **error);

/* The names of a Compose file's services, in the arena. False when they cannot be told for certain (compose.c). */
bool osdear__compose_services(osdear__str file, osdear__arena *arena, const char *const **names, size_t *count);

#endif
