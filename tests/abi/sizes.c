/* The size of every public struct, and where its last field stands, as the first release with that size has them on LP64.
 * A field appended later adds a line with the new figures and keeps the old name's offset; no line is ever changed, because
 * a program compiled against it is still out there. */
#include <osdear.h>

#define FROZEN(type, bytes, last_field, offset)                       \
  _Static_assert(sizeof(type) == (bytes), #type " changed its size"); \
  _Static_assert(offsetof(type, last_field) == (offset), #type "." #last_field " moved")

_Static_assert(sizeof(void *) == 8 && sizeof(long) == 8, "the figures below are those of LP64");
_Static_assert(sizeof(osdear_status) == 4 && sizeof(osdear_log_level) == 4, "enums that cross the ABI are 32 bits wide");

/* 0.1 */
FROZEN(osdear_pair, 16, value, 8);
FROZEN(osdear_allocator, 40, release, 32);
FROZEN(osdear_context_options, 64, cancel, 56);
FROZEN(osdear_snapshot_options, 40, storage_count, 32);
FROZEN(osdear_scan_options, 56, variant_as_json, 48);
FROZEN(osdear_scan_options, 56, row_ids, 52);
FROZEN(osdear_changes_options, 56, batch_rows, 48);
FROZEN(osdear_scan_metrics, 56, bytes_read, 48);
FROZEN(osdear_table_options, 24, storage_count, 16);
FROZEN(osdear_table_create_options, 80, if_not_exists, 72);
FROZEN(osdear_write_options, 56, target_file_bytes, 48);
FROZEN(osdear_write_result, 56, was_done, 52);
FROZEN(osdear_source_options, 96, schema, 88);
FROZEN(osdear_sink_options, 48, compression, 40);
FROZEN(osdear_engine_options, 32, timeout_ms, 24);
FROZEN(osdear_remove_options, 24, missing, 16);
FROZEN(osdear_object_options, 56, if_not_exists, 52);
FROZEN(osdear_pull_options, 40, only_if_missing, 32);
FROZEN(osdear_chunk, 40, time_us, 32);
FROZEN(osdear_events_options, 40, until_us, 32);
FROZEN(osdear_mount, 24, read_only, 16);
FROZEN(osdear_port, 24, protocol, 16);
FROZEN(osdear_network, 16, aliases, 8);
FROZEN(osdear_container_spec, 328, extra_json, 320);
FROZEN(osdear_container_entry, 48, created_us, 40);
FROZEN(osdear_container_status_result, 40, finished_us, 32);
FROZEN(osdear_logs_options, 48, until_us, 40);
FROZEN(osdear_exec_options, 48, open_stdin, 44);
FROZEN(osdear_run_options, 80, run_id, 72);
FROZEN(osdear_run_result, 40, last_output, 32);
FROZEN(osdear_stack_entry, 32, running, 24);
FROZEN(osdear_stack_options, 40, timeout_ms, 32);
FROZEN(osdear_service, 24, after, 16);
FROZEN(osdear_stack_spec, 64, volume_count, 56);
FROZEN(osdear_stack_status_result, 40, failed, 32);
FROZEN(osdear_runner_options, 32, state_folder, 24);
FROZEN(osdear_prune_options, 16, min_age_ms, 8);
FROZEN(osdear_submit_options, 16, key, 8);
FROZEN(osdear_job_note, 32, created_us, 24);
FROZEN(osdear_job_wait_options, 24, max_failed_polls, 20);
FROZEN(osdear_job_cancel_options, 16, timeout_ms, 8);
FROZEN(osdear_job_log_options, 24, follow, 16);
FROZEN(osdear_follower_options, 16, max_requests, 8);
FROZEN(osdear_job_change, 32, failure, 24);
FROZEN(osdear_store_options, 24, storage_count, 16);
FROZEN(osdear_store_item, 24, modified_ms, 16);
FROZEN(osdear_store_list_options, 24, start_after, 16);
FROZEN(osdear_store_get_options, 24, length_bytes, 16);
FROZEN(osdear_store_put_options, 16, concurrency, 12);
FROZEN(osdear_store_result, 24, bytes, 16);
FROZEN(struct ArrowSchema, 72, private_data, 64);
FROZEN(struct ArrowArray, 80, private_data, 72);
FROZEN(struct ArrowArrayStream, 40, private_data, 32);
