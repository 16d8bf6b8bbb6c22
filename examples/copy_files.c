/* Copies every file below one address to below another, several at once: folders of this machine, s3://bucket/path, either way.
 *
 * usage: copy_files FROM TO */
#include "need.h"

int main(int count, char **words)
{
  osdear_store_result result = OSDEAR_STORE_RESULT_INIT;
  osdear_context *context;
  osdear_store *from, *to;
  osdear_error *error = NULL;

  if (count != 3)
    usage("copy_files FROM TO");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_store_open(context, words[1], NULL, &from, &error), &error); /* settings of s3: come from the environment */
  need(osdear_store_open(context, words[2], NULL, &to, &error), &error);
  need(osdear_store_copy_tree(from, "", to, "", NULL, &result, &error), &error);
  printf("%lld files, %lld bytes\n", (long long)result.files, (long long)result.bytes);

  osdear_store_free(to);
  osdear_store_free(from);
  osdear_context_unref(context);
  return 0;
}
