#include <xml/xml.h>

#include <criterion/criterion.h>

static osdear_status list(void *argument, osdear__xml_event event, osdear__str path, osdear__str text, osdear_error **error)
{
  osdear__buf *out = argument;

  (void)error;
  osdear__buf_printf(out, "%c%s", event == XML_START ? '+' : '-', path.data);
  if (text.size > 0)
    osdear__buf_printf(out, "=%s", text.data);
  osdear__buf_putc(out, ';');
  return OSDEAR_OK;
}

static void expect_events(const char *document, const char *events)
{
  osdear_error *error = NULL;
  SCOPED(buf) out = { 0 };

  cr_assert_eq(osdear__xml_parse(osdear__str_of(document), "answer", NULL, list, &out, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  cr_assert_str_eq(out.data, events);
}

static void expect_failure(const char *document, const osdear__xml_limits *limits, osdear_status status, const char *words)
{
  osdear_error *error = NULL;
  SCOPED(buf) out = { 0 };

  cr_assert_eq(osdear__xml_parse(osdear__str_of(document), "answer", limits, list, &out, &error), status, "%s", document);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

Test(xml, leaves_have_a_path_and_a_text)
{
  expect_events("<a><b>1</b><b> 2 </b></a>", "+a;+a/b;-a/b=1;+a/b;-a/b= 2 ;-a;");
  expect_events("<a/>", "+a;-a;");
}

Test(xml, namespaces_and_attributes_are_passed_over)
{
  expect_events("<?xml version=\"1.0\" encoding=\"UTF-8\"?><x:a xmlns:x=\"urn:x\" k=\"v\"><x:b>t</x:b></x:a>",
                "+a;+a/b;-a/b=t;-a;");
}

Test(xml, a_name_that_ends_with_a_colon_stays_a_name)
{
  expect_events("<a:><b>1</b></a:>", "+a:;+a:/b;-a:/b=1;-a:;");
}

Test(xml, entities_and_sections_become_text)
{
  expect_events("<a>&#34;&lt;&amp;<![CDATA[<x>]]>&#xFC;</a>", "+a;-a=\"<&<x>\xC3\xBC;");
}

Test(xml, text_beside_children_is_no_leaf)
{
  expect_events("<a>x<b>1</b>y</a>", "+a;+a/b;-a/b=1;-a;");
}

Test(xml, white_space_before_a_document_is_passed_over)
{
  expect_events(" \r\n <?xml version=\"1.0\"?><a>1</a>", "+a;-a=1;");
}

Test(xml, what_a_stranger_could_do_harm_with_is_refused)
{
  const osdear__xml_limits limits = { .max_depth = 3, .max_text = 4, .max_document = 40 };

  expect_failure("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", NULL, OSDEAR_ERR_CORRUPT, "document type declaration");
  expect_failure("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", NULL, OSDEAR_ERR_CORRUPT, "document type declaration");
  expect_failure("<a><a><a><a/></a></a></a>", &limits, OSDEAR_ERR_LIMIT, "deeper than 3");
  expect_failure("<a>12345</a>", &limits, OSDEAR_ERR_LIMIT, "line 1, column");
  expect_failure("<a>1</a><!-- a comment of some length -->", &limits, OSDEAR_ERR_LIMIT, "40 bytes");
}

Test(xml, bad_documents_are_told_with_their_place)
{
  expect_failure("", NULL, OSDEAR_ERR_CORRUPT, "answer, line 1");
  expect_failure("   ", NULL, OSDEAR_ERR_CORRUPT, "no element found");
  expect_failure("<a><b></a>", NULL, OSDEAR_ERR_CORRUPT, "mismatched tag");
  expect_failure("<a>", NULL, OSDEAR_ERR_CORRUPT, "no element found");
  expect_failure("<a/><b/>", NULL, OSDEAR_ERR_CORRUPT, "junk after document element");
  expect_failure("<a>&unknown;</a>", NULL, OSDEAR_ERR_CORRUPT, "undefined entity");
  expect_failure("Service Unavailable", NULL, OSDEAR_ERR_CORRUPT, "syntax error");
}

Test(xml, a_document_may_come_in_pieces)
{
  const char *document = " \n<a><bc>d&amp;e</bc></a>";
  SCOPED(buf) out = { 0 };
  osdear__xml_parser *parser = NULL;

  cr_assert_eq(osdear__xml_parser_new("answer", NULL, list, &out, &parser, NULL), OSDEAR_OK);
  for (const char *at = document; *at; at++)
    cr_assert_eq(osdear__xml_feed(parser, at, 1, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__xml_finish(parser, NULL), OSDEAR_OK);
  osdear__xml_parser_free(parser);
  cr_assert_str_eq(out.data, "+a;+a/bc;-a/bc=d&e;-a;");
}

static osdear_status refuse(void *argument, osdear__xml_event event, osdear__str path, osdear__str text, osdear_error **error)
{
  (void)argument;
  (void)event;
  (void)text;
  if (osdear__str_is(path, "a/b"))
    return osdear__fail(error, OSDEAR_ERR_DATA, "no b, please");
  return OSDEAR_OK;
}

Test(xml, what_the_handler_says_is_the_result)
{
  osdear_error *error = NULL;

  cr_assert_eq(osdear__xml_parse(STR("<a><b/><c/></a>"), "answer", NULL, refuse, NULL, &error), OSDEAR_ERR_DATA);
  cr_assert_str_eq(osdear_error_message(error), "answer, line 1, column 8: no b, please");
  osdear_error_free(error);
}

Test(xml, texts_are_picked_by_path_or_below_any_root)
{
  SCOPED(arena) arena = { 0 };
  osdear__xml_want wants[] = { { "*/Code", { 0 } }, { "Error/Message", { 0 } }, { "*/Region", { 0 } }, { "Error/Empty", { 0 } } };

  cr_assert_eq(
      osdear__xml_pick(
          STR("<Error><Code>SlowDown</Code><Message>wait</Message><Message>2</Message><Empty/><In><Region>x</Region></In>"
              "</Error>"),
          "answer", wants, COUNT_OF(wants), &arena, NULL),
      OSDEAR_OK);
  cr_assert_str_eq(wants[0].text.data, "SlowDown");
  cr_assert_str_eq(wants[1].text.data, "wait");
  cr_assert_null(wants[2].text.data);
  cr_assert_str_eq(wants[3].text.data, "");
}

Test(xml, text_is_escaped_on_its_way_out)
{
  SCOPED(buf) out = { 0 };

  osdear__xml_put_text(&out, STR("a<b>&\"'\x01\n\xC3\xBC"));
  cr_assert_str_eq(out.data, "a&lt;b&gt;&amp;&quot;&apos;&#x1;&#xa;\xC3\xBC");
}

#ifdef OSDEAR_FAULTS
Test(xml, every_failing_allocation_is_survived)
{
  osdear_status status = OSDEAR_ERR_NO_MEMORY;
  int64_t live = osdear__live();

  for (int64_t after = 0; status != OSDEAR_OK; after++) {
    SCOPED(buf) out = { 0 };
    osdear_error *error = NULL;
    osdear__fault_arm(FAULT_ALLOC, after, false);
    status = osdear__xml_parse(STR("<a><b>1&amp;2</b></a>"), "answer", NULL, list, &out, &error);
    osdear__fault_disarm();
    cr_assert(status == OSDEAR_OK || status == OSDEAR_ERR_NO_MEMORY, "%s", osdear_error_message(error));
    osdear_error_free(error);
  }
  cr_assert_eq(osdear__live(), live);
}
#endif
