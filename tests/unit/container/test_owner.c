#include <container/container.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static osdear__str text_of(const osdear__buf *buf)
{
  return (osdear__str){ buf->data, buf->size };
}

Test(owner, this_process_lives)
{
  SCOPED(buf) owner = { 0 };

  osdear__owner_put(&owner);
  cr_assert_eq(osdear__owner_look(text_of(&owner)), OWNER_ALIVE);
}

Test(owner, a_process_that_ended_is_dead)
{
  SCOPED(buf) owner = { 0 };
  int pipes[2];
  char text[256];
  ssize_t size;
  pid_t child;

  cr_assert_eq(pipe(pipes), 0);
  child = fork();
  if (child == 0) {
    osdear__owner_put(&owner);
    _exit(write(pipes[1], owner.data, owner.size) < 0);
  }
  size = read(pipes[0], text, sizeof text);
  cr_assert_gt(size, 0);
  waitpid(child, NULL, 0);
  cr_assert_eq(osdear__owner_look((osdear__str){ text, (size_t)size }), OWNER_DEAD);
}

Test(owner, another_process_with_the_same_number_is_not_the_owner)
{
  SCOPED(buf) owner = { 0 };

  osdear__owner_put(&owner);
  owner.data[owner.size - 1] = owner.data[owner.size - 1] == '1' ? '2' : '1';
  cr_assert_eq(osdear__owner_look(text_of(&owner)), OWNER_DEAD);
}

Test(owner, of_other_machines_and_of_strangers_nothing_is_known)
{
  cr_assert_eq(osdear__owner_look(STR("")), OWNER_UNKNOWN);
  cr_assert_eq(osdear__owner_look(STR("somebody")), OWNER_UNKNOWN);
  cr_assert_eq(osdear__owner_look(STR("00000000-0000-0000-0000-000000000000/pid:[1]/4/5")), OWNER_UNKNOWN);
}
