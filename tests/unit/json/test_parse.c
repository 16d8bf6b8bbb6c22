#include <json/json.h>

#include <criterion/criterion.h>

/* Events as text: `{` `}` `[` `]` `k:` `s"…"` `n…` `t` `f` `0`, each container with the depth it stands at. */
static osdear_status note(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  osdear__buf *out = argument;
  static const char marks[] = { '0', 't', 'f', 'n', 's', '{', 'k', '}', '[', ']' };

  if (event == JSON_STRING && osdear__str_is(text, "stop"))
    return osdear__fail(error, OSDEAR_ERR_DATA, "told to stop");
  osdear__buf_putc(out, marks[event]);
  osdear__buf_append(out, text.data, text.size);
  osdear__buf_printf(out, "%d ", (int)depth);
  return OSDEAR_OK;
}

static osdear_status parse(const osdear__json_limits *limits, osdear__str text, osdear__buf *out, osdear_error **error)
{
  AUTO(json_parser) parser = NULL;
  osdear_status st = osdear__json_parser_new(limits, note, out, &parser, error);

  return st ? st : osdear__json_parse(parser, text, "x.json", error);
}

static void expect(const osdear__json_limits *limits, const char *text, const char *events)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(parse(limits, osdear__str_of(text), &out, &error), OSDEAR_OK, "%s: %s", text,
               error ? osdear_error_message(error) : "");
  cr_assert_str_eq(out.data ? out.data : "", events);
}

static void refuse(const osdear__json_limits *limits, osdear__str text, osdear_status status, const char *message)
{
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(parse(limits, text, &out, &error), status);
  cr_assert_eq(osdear_error_status(error), status);
  cr_assert_str_eq(osdear_error_message(error), message);
  osdear_error_free(error);
}

static const osdear__json_limits many = { .allow_many = true };

Test(json_parse, events_come_in_order_with_their_depth)
{
  expect(NULL, " {\"a\":[1,true,false,null,\"x\"],\"b\":{}} ", "{0 ka1 [1 n12 t2 f2 02 sx2 ]1 kb1 {1 }1 }0 ");
  expect(NULL, "7", "n70 ");
}

Test(json_parse, numbers_keep_every_digit)
{
  expect(NULL, "[9223372036854775807,123456789012345678901234567890,-1.50e+400]",
         "[0 n92233720368547758071 n1234567890123456789012345678901 n-1.50e+4001 ]0 ");
}

Test(json_parse, escapes_become_utf8)
{
  expect(NULL, "\"a\\n\\u00e9\\ud83d\\ude00\\/\\\"\"", "sa\n\xc3\xa9\xf0\x9f\x98\x80/\"0 ");
}

Test(json_parse, half_a_surrogate_pair_is_read_as_the_replacement_character)
{
  expect(NULL, "\"\\ud83d\"",
         "s\xef\xbf\xbd"
         "0 ");
  expect(NULL, "\"\\ud83dx\\udE00\"",
         "s\xef\xbf\xbdx\xef\xbf\xbd"
         "0 ");
  expect(NULL, "\"\\ud83d\\ud83d\\ude00\"",
         "s\xef\xbf\xbd\xf0\x9f\x98\x80"
         "0 ");
  expect(NULL, "\"\\\\ud83d\"", "s\\ud83d0 ");
}

Test(json_parse, a_lone_surrogate_is_found_at_any_distance)
{
  for (size_t pad = 0; pad < 200; pad++) {
    SCOPED(buf) text = { 0 };
    SCOPED(buf) out = { 0 };

    osdear__buf_printf(&text, "\"%*s\\udc00\"", (int)pad, "");
    cr_assert_eq(parse(NULL, (osdear__str){ text.data, text.size }, &out, NULL), OSDEAR_OK);
    cr_assert_not_null(strstr(out.data, "\xef\xbf\xbd"));
  }
}

Test(json_parse, many_values_may_follow_each_other_when_allowed)
{
  expect(&many, "{}\n[]\n\n", "{0 }0 [0 ]0 ");
  expect(&many, "", "");
  expect(&many, " \n", "");
  refuse(NULL, STR("{} {}"), OSDEAR_ERR_CORRUPT, "x.json, byte 4: not JSON: parse error: trailing garbage");
}

Test(json_parse, bad_text_is_named_with_its_place)
{
  refuse(&many, STR("{}\n{\"a\":tru}\n"), OSDEAR_ERR_CORRUPT,
         "x.json, line 2, byte 8: not JSON: lexical error: invalid string in json text.");
  refuse(&many, STR("{}\n{\"a\":1"), OSDEAR_ERR_CORRUPT, "x.json, line 2, byte 6: not JSON: parse error: premature EOF");
  refuse(NULL, STR(""), OSDEAR_ERR_CORRUPT, "x.json, byte 0: not JSON: parse error: premature EOF");
  refuse(NULL, STR("{\"a\":1}\0"), OSDEAR_ERR_CORRUPT, "x.json, byte 8: not JSON: parse error: trailing garbage");
}

Test(json_parse, bytes_that_are_not_utf8_are_refused)
{
  static const char *const bad[] = { "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", "\"\xe2\x82\"" };

  for (size_t i = 0; i < COUNT_OF(bad); i++)
    refuse(NULL, osdear__str_of(bad[i]), OSDEAR_ERR_CORRUPT, "x.json: not valid UTF-8, which JSON must be");
}

Test(json_parse, depth_has_a_ceiling)
{
  SCOPED(buf) text = { 0 };
  SCOPED(buf) out = { 0 };
  osdear__json_limits limits = { .max_depth = 3 };

  expect(&limits, "[[[]]]", "[0 [1 [2 ]2 ]1 ]0 ");
  refuse(&limits, STR("[[[[]]]]"), OSDEAR_ERR_LIMIT, "x.json, byte 4: nested deeper than 3");
  for (int i = 0; i < 1000000; i++)
    osdear__buf_putc(&text, '[');
  cr_assert_eq(parse(NULL, (osdear__str){ text.data, text.size }, &out, NULL), OSDEAR_ERR_LIMIT);
}

Test(json_parse, a_handler_ends_the_parse_with_its_own_status)
{
  refuse(&many, STR("[1]\n[\"stop\"]"), OSDEAR_ERR_DATA, "x.json, line 2, byte 7: told to stop");
}

Test(json_parse, a_parser_is_used_again_after_a_failure)
{
  SCOPED(buf) out = { 0 };
  AUTO(json_parser) parser = NULL;

  cr_assert_eq(osdear__json_parser_new(NULL, note, &out, &parser, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__json_parse(parser, STR("[[{\"a\":"), "x", NULL), OSDEAR_ERR_CORRUPT);
  osdear__buf_clear(&out);
  cr_assert_eq(osdear__json_parse(parser, STR("[1]"), "x", NULL), OSDEAR_OK);
  cr_assert_str_eq(out.data, "[0 n11 ]0 ");
}

#ifdef OSDEAR_FAULTS
Test(json_parse, survives_every_failing_allocation)
{
  static const char text[] =
      "{\"a\\u0041\":\"a long string with an escape \\n and half a pair \\ud800 ........................\"}";
  int64_t live = osdear__live();
  osdear_status st = OSDEAR_ERR_NO_MEMORY;

  for (int64_t n = 0; st != OSDEAR_OK; n++) {
    osdear__buf out = { 0 };
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = parse(NULL, STR(text), &out, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
    cr_assert_eq(osdear_error_status(error), st);
    osdear_error_free(error);
    osdear__buf_drop(&out);
    cr_assert_eq(osdear__live(), live);
    if (n > 1000)
      break;
    if (out.failed) /* the note taker ran out, not the parser */
      st = OSDEAR_ERR_NO_MEMORY;
  }
  cr_assert_eq(st, OSDEAR_OK);
}
#endif
