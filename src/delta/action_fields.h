/* What actions hold in JSON: tables of fields, each with its place in osdear__action. */
#ifndef OSDEAR_SRC_DELTA_ACTION_FIELDS_H
#define OSDEAR_SRC_DELTA_ACTION_FIELDS_H

#include <delta/action.h>

typedef enum osdear__field_form {
  FORM_TEXT, /* osdear__str */
  FORM_NAME, /* const char *, must not hold a NUL */
  FORM_I64,
  FORM_I32,
  FORM_BOOL,
  FORM_VALUES, /* partitionValues */
  FORM_PAIRS,  /* object of strings */
  FORM_NAMES,  /* array of strings */
  FORM_JSON,   /* object, kept as text */
  FORM_VECTOR, /* deletionVector */
  FORM_FORMAT, /* metaData.format: only its provider is looked at */
  FORM_STORAGE /* deletionVector.storageType, a char */
} osdear__field_form;

typedef struct osdear__field_entry {
  osdear__str name;
  osdear__field_form form;
  size_t offset; /* in osdear__action */
  bool is_required;
  unsigned needs; /* what the reader must have been asked to keep; 0: always kept */
} osdear__field_entry;

typedef struct osdear__action_entry {
  osdear__str name;
  osdear__action_kind kind;
  const osdear__field_entry *fields;
  size_t field_count;
  unsigned needs;
} osdear__action_entry;

/* NULL: no action that is read. */
const osdear__action_entry *osdear__action_form(osdear__str name);
/* The same for a field of an action. NULL: unknown, to be passed over. */
const osdear__field_entry *osdear__action_field(const osdear__action_entry *action, osdear__str name);

/* The fields of `deletionVector`, in a file action. */
extern const osdear__action_entry osdear__action_vector;

#endif
