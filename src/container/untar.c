/* Reads a tar as it comes. What it says is a stranger's word: names are walked part by part from the folder's own descriptor, links are
 * made but never followed, and nothing but files, folders and links is made. */
#include <container/tar.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NAME_BYTES 4096
#define MOST_PAX_BYTES ((size_t)1 << 20)

typedef enum untar_part { PART_HEADER, PART_FILE, PART_TEXT, PART_SKIP, PART_PADDING, PART_END } untar_part;

struct osdear__untar {
  int folder;
  int file; /* being written; -1: none */
  untar_part part;
  osdear__tar_header header;
  size_t header_size;
  int64_t left;   /* bytes of the entry */
  size_t padding; /* bytes to the next block */
  char text_type; /* what `text` is: x, L or K */
  osdear__buf text;
  osdear__buf name, link; /* said ahead of the entry by records of its own; empty: as in the header */
  int64_t pax_size;       /* -1: as in the header */
  bool has_pax_mtime;
  struct timespec pax_mtime, mtime;
};

osdear_status osdear__untar_new(const char *folder, osdear__untar **out, osdear_error **error)
{
  AUTO(untar) made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  made->file = made->folder = -1;
  made->pax_size = -1;
  made->text.limit = MOST_PAX_BYTES;
  if (mkdir(folder, 0777) != 0 && errno != EEXIST)
    return osdear__fail_errno(error, errno, "cannot make the folder %s", folder);
  made->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (made->folder < 0)
    return osdear__fail_errno(error, errno, "cannot open the folder %s", folder);
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

void osdear__untar_auto(osdear__untar **at)
{
  osdear__untar *untar = *at;

  if (!untar)
    return;
  if (untar->file >= 0)
    close(untar->file);
  if (untar->folder >= 0)
    close(untar->folder);
  osdear__buf_drop(&untar->text);
  osdear__buf_drop(&untar->name);
  osdear__buf_drop(&untar->link);
  osdear__free(untar);
  *at = NULL;
}

uint32_t osdear__tar_sum(const osdear__tar_header *header)
{
  const unsigned char *bytes = (const unsigned char *)header;
  uint32_t sum = 0;

  for (size_t i = 0; i < TAR_BLOCK; i++)
    sum += i >= offsetof(osdear__tar_header, checksum) && i < offsetof(osdear__tar_header, type) ? ' ' : bytes[i];
  return sum;
}

bool osdear__tar_number(const char *text, size_t size, int64_t *out)
{
  const unsigned char *bytes = (const unsigned char *)text;
  uint64_t value = 0;
  size_t i = 0;

  if (bytes[0] & 0x80) {
    bool is_negative = bytes[0] == 0xFF;

    if (bytes[0] != 0x80 && !is_negative)
      return false;
    value = is_negative ? UINT64_MAX : 0;
    for (i = 1; i < size; i++) {
      if (value >> 55 != (is_negative ? 0x1FF : 0))
        return false;
      value = value << 8 | bytes[i];
    }
    *out = (int64_t)value;
    return true;
  }
  while (i < size && text[i] == ' ')
    i++;
  for (; i < size && text[i] >= '0' && text[i] <= '7'; i++)
    value = value << 3 | (uint64_t)(text[i] - '0');
  *out = (int64_t)value;
  return i == size || text[i] == ' ' || text[i] == '\0';
}

/* ---- names ---- */

static osdear_status corrupt(const char *why, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the engine sent a tar file that %s", why);
}

static osdear_status refuse_sparse(osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the engine sent a tar file that holds a sparse file as GNU tar writes it");
}

/* A folder that is to be there below `from`, by a name without slash; links are not followed. */
static int enter(int from, const char *name)
{
  int fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

  if (fd < 0 && errno == ENOENT && mkdirat(from, name, 0777) == 0)
    fd = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd;
}

/* Walks to the folder that holds the last part of `name`. *parent is to be closed; *last points into `name`, and is empty for the folder
 * itself. */
static osdear_status walk(const osdear__untar *untar, char *name, int *parent, const char **last, osdear_error **error)
{
  int at = fcntl(untar->folder, F_DUPFD_CLOEXEC, 0);

  if (at < 0)
    return osdear__fail_errno(error, errno, "cannot duplicate a descriptor");
  for (char *part = name, *next;; part = next) {
    size_t size;
    int below;

    part += strspn(part, "/");
    size = strcspn(part, "/");
    next = part + size;
    next += strspn(next, "/");
    if (size == 1 && part[0] == '.' && *next)
      continue;
    if (size == 2 && part[0] == '.' && part[1] == '.') {
      close(at);
      return corrupt("names a file with `..`", error);
    }
    part[size] = '\0';
    if (!*next) {
      *parent = at;
      *last = strcmp(part, ".") == 0 ? "" : part;
      return OSDEAR_OK;
    }
    below = enter(at, part);
    if (below < 0) {
      int number = errno;
      close(at);
      return osdear__fail_errno(error, number, "cannot enter or make the folder %s", part);
    }
    close(at);
    at = below;
  }
}

/* ---- entries ---- */

static osdear_status make_folder(int parent, const char *name, mode_t mode, osdear_error **error)
{
  struct stat status;

  if (!*name)
    return OSDEAR_OK;
  /* Its owner must be able to go on writing below it. */
  if (mkdirat(parent, name, (mode & 0777) | 0700) == 0)
    return OSDEAR_OK;
  if (errno == EEXIST && fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode))
    return OSDEAR_OK;
  return osdear__fail_errno(error, errno, "cannot make the folder %s", name);
}

static osdear_status make_file(osdear__untar *untar, int parent, const char *name, mode_t mode, osdear_error **error)
{
  if (unlinkat(parent, name, 0) != 0 && errno != ENOENT)
    return osdear__fail_errno(error, errno, "cannot replace %s", name);
  untar->file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0777);
  return untar->file >= 0 ? OSDEAR_OK : osdear__fail_errno(error, errno, "cannot make the file %s", name);
}

static osdear_status make_link(const osdear__untar *untar, int parent, const char *name, char type, char *target,
                               osdear_error **error)
{
  int target_parent = -1, failure = 0;
  const char *target_last;
  osdear_status st;

  if (unlinkat(parent, name, 0) != 0 && errno != ENOENT)
    return osdear__fail_errno(error, errno, "cannot replace %s", name);
  if (type == '2')
    return symlinkat(target, parent, name) == 0 ? OSDEAR_OK : osdear__fail_errno(error, errno, "cannot make the link %s", name);
  st = walk(untar, target, &target_parent, &target_last, error);
  if (st)
    return st;
  if (linkat(target_parent, target_last, parent, name, 0) != 0)
    failure = errno;
  close(target_parent);
  return failure ? osdear__fail_errno(error, failure, "cannot make the link %s", name) : OSDEAR_OK;
}

static osdear_status make_entry(osdear__untar *untar, char *name, char *link, osdear_error **error)
{
  char type = untar->header.type;
  int64_t mode, mtime;
  int parent = -1;
  const char *last;
  osdear_status st;

  if (!osdear__tar_number(untar->header.mode, sizeof untar->header.mode, &mode) ||
      !osdear__tar_number(untar->header.mtime, sizeof untar->header.mtime, &mtime))
    return corrupt("has a mode or a time that is no number", error);
  untar->mtime = untar->has_pax_mtime ? untar->pax_mtime : (struct timespec){ .tv_sec = mtime };
  if (type == 'S')
    return refuse_sparse(error);
  if (type != '0' && type != '\0' && type != '5' && type != '1' && type != '2' && type != '7')
    return OSDEAR_OK;
  st = walk(untar, name, &parent, &last, error);
  if (st)
    return st;
  if (type == '5')
    st = make_folder(parent, last, (mode_t)mode, error);
  else if (!*last)
    st = corrupt("names a file without a name", error);
  else if (type == '1' || type == '2')
    st = make_link(untar, parent, last, type, link, error);
  else
    st = make_file(untar, parent, last, (mode_t)mode, error);
  close(parent);
  return st;
}

/* The name from the header's two parts, or from a record ahead of it; NUL-terminated in `out`. */
static osdear_status choose_names(osdear__untar *untar, osdear__buf *name, osdear__buf *link, osdear_error **error)
{
  const osdear__tar_header *h = &untar->header;

  if (untar->name.size) {
    osdear__buf_append(name, untar->name.data, untar->name.size);
  } else {
    if (memcmp(h->magic, "ustar", 5) == 0 && h->prefix[0]) {
      osdear__buf_append(name, h->prefix, strnlen(h->prefix, sizeof h->prefix));
      osdear__buf_putc(name, '/');
    }
    osdear__buf_append(name, h->name, strnlen(h->name, sizeof h->name));
  }
  if (untar->link.size)
    osdear__buf_append(link, untar->link.data, untar->link.size);
  else
    osdear__buf_append(link, h->link, strnlen(h->link, sizeof h->link));
  osdear__buf_append(name, "", 0);
  osdear__buf_append(link, "", 0);
  if (name->failed || link->failed)
    return osdear__fail_memory(error);
  if (name->size == 0 || name->size > MOST_NAME_BYTES || link->size > MOST_NAME_BYTES)
    return corrupt("has a name that is empty or longer than 4,096 bytes", error);
  return OSDEAR_OK;
}

static osdear_status begin_entry(osdear__untar *untar, osdear_error **error)
{
  SCOPED(buf) name = { 0 };
  SCOPED(buf) link = { 0 };
  int64_t size;
  osdear_status st;

  if (!osdear__tar_number(untar->header.size, sizeof untar->header.size, &size) || size < 0)
    return corrupt("has a size that is no number", error);
  if (untar->pax_size >= 0)
    size = untar->pax_size;
  if (untar->header.type == '1' || untar->header.type == '2' || untar->header.type == '5')
    size = 0;
  untar->left = size;
  untar->padding = (TAR_BLOCK - (size_t)(size % TAR_BLOCK)) % TAR_BLOCK;
  if (strchr("xLKg", untar->header.type) && untar->header.type) {
    untar->part = untar->header.type == 'g' ? PART_SKIP : PART_TEXT;
    untar->text_type = untar->header.type;
    osdear__buf_clear(&untar->text);
    return (size_t)size <= MOST_PAX_BYTES ? OSDEAR_OK : corrupt("has a record of more than 1 MiB", error);
  }
  st = choose_names(untar, &name, &link, error);
  if (!st)
    st = make_entry(untar, name.data, link.data ? link.data : (char[]){ "" }, error);
  untar->part = untar->file >= 0 ? PART_FILE : PART_SKIP;
  osdear__buf_clear(&untar->name);
  osdear__buf_clear(&untar->link);
  untar->pax_size = -1;
  untar->has_pax_mtime = false;
  return st;
}

static osdear_status read_header(osdear__untar *untar, osdear_error **error)
{
  static const char zeros[TAR_BLOCK];
  int64_t sum;

  untar->header_size = 0;
  if (memcmp(&untar->header, zeros, TAR_BLOCK) == 0) {
    untar->part = PART_END;
    return OSDEAR_OK;
  }
  if (!osdear__tar_number(untar->header.checksum, sizeof untar->header.checksum, &sum) || sum != osdear__tar_sum(&untar->header))
    return corrupt("has a header with a wrong checksum", error);
  return begin_entry(untar, error);
}

/* ---- records ahead of an entry ---- */

/* "-1.25": a second and a quarter before 1970. */
static bool read_pax_time(osdear__str text, struct timespec *out)
{
  const char *point = memchr(text.data, '.', text.size);
  osdear__str whole = { text.data, point ? (size_t)(point - text.data) : text.size };
  int64_t seconds, unit = 100000000, part = 0;

  if (!osdear__parse_i64(whole, &seconds))
    return false;
  for (size_t i = whole.size + 1; i < text.size; i++, unit /= 10) {
    if (text.data[i] < '0' || text.data[i] > '9')
      return false;
    part += unit * (text.data[i] - '0');
  }
  if (part && text.data[0] == '-') {
    if (seconds == INT64_MIN)
      return false;
    seconds--;
    part = 1000000000 - part;
  }
  *out = (struct timespec){ .tv_sec = seconds, .tv_nsec = part };
  return true;
}

/* What of it is not known does not change what a file is, but for GNU's way to leave out its zeros. */
static osdear_status take_pax(osdear__untar *untar, osdear__str key, osdear__str value, osdear_error **error)
{
  static const char sparse[] = "GNU.sparse.";

  if (osdear__str_is(key, "path")) {
    osdear__buf_clear(&untar->name);
    osdear__buf_append(&untar->name, value.data, value.size);
  } else if (osdear__str_is(key, "linkpath")) {
    osdear__buf_clear(&untar->link);
    osdear__buf_append(&untar->link, value.data, value.size);
  } else if (osdear__str_is(key, "size")) {
    if (!osdear__parse_i64(value, &untar->pax_size) || untar->pax_size < 0)
      return corrupt("has a pax size that is no number", error);
  } else if (osdear__str_is(key, "mtime")) {
    untar->has_pax_mtime = read_pax_time(value, &untar->pax_mtime);
    if (!untar->has_pax_mtime)
      return corrupt("has a pax time that is no number", error);
  } else if (key.size >= strlen(sparse) && memcmp(key.data, sparse, strlen(sparse)) == 0) {
    return refuse_sparse(error);
  }
  return OSDEAR_OK;
}

/* "LENGTH KEY=VALUE\n", the length in decimal and of the whole record. */
static osdear_status read_pax(osdear__untar *untar, osdear_error **error)
{
  osdear__str rest = { untar->text.data ? untar->text.data : "", untar->text.size };

  while (rest.size) {
    const char *blank = memchr(rest.data, ' ', rest.size), *equals;
    int64_t size;
    osdear__str key, value;
    osdear_status st;

    if (!blank || !osdear__parse_i64((osdear__str){ rest.data, (size_t)(blank - rest.data) }, &size) ||
        size < (blank - rest.data) + 2 || (uint64_t)size > rest.size || rest.data[size - 1] != '\n')
      return corrupt("has a pax record of a wrong length", error);
    equals = memchr(blank, '=', (size_t)(rest.data + size - 1 - blank));
    if (!equals)
      return corrupt("has a pax record without `=`", error);
    key = (osdear__str){ blank + 1, (size_t)(equals - blank - 1) };
    value = (osdear__str){ equals + 1, (size_t)(rest.data + size - 1 - (equals + 1)) };
    st = take_pax(untar, key, value, error);
    if (st)
      return st;
    rest = (osdear__str){ rest.data + size, rest.size - (size_t)size };
  }
  return OSDEAR_OK;
}

static osdear_status end_text(osdear__untar *untar, osdear_error **error)
{
  osdear__buf *to = untar->text_type == 'L' ? &untar->name : &untar->link;
  osdear_status st = osdear__buf_check(&untar->text, error);

  if (st || untar->text_type == 'x')
    return st ? st : read_pax(untar, error);
  osdear__buf_clear(to);
  if (untar->text.data)
    osdear__buf_append(to, untar->text.data, strnlen(untar->text.data, untar->text.size));
  return osdear__buf_check(to, error);
}

/* ---- bytes ---- */

static osdear_status write_file(osdear__untar *untar, const char *data, size_t size, osdear_error **error)
{
  while (size) {
    ssize_t wrote = osdear__fault_hit(FAULT_WRITE) ? (errno = EIO, -1) : write(untar->file, data, size);

    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0)
      return osdear__fail_errno(error, errno, "cannot write what was copied");
    data += wrote;
    size -= (size_t)wrote;
  }
  return OSDEAR_OK;
}

static osdear_status end_entry(osdear__untar *untar, osdear_error **error)
{
  osdear_status st = untar->part == PART_TEXT ? end_text(untar, error) : OSDEAR_OK;

  if (untar->file >= 0) {
    const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, untar->mtime };
    futimens(untar->file, times); /* a nicety: that it fails harms nobody */
    if (close(untar->file) != 0 && !st)
      st = osdear__fail_errno(error, errno, "cannot finish what was copied");
    untar->file = -1;
  }
  untar->part = PART_PADDING;
  return st;
}

static osdear_status take_content(osdear__untar *untar, const char *data, size_t size, osdear_error **error)
{
  if (untar->part == PART_FILE)
    return write_file(untar, data, size, error);
  if (untar->part == PART_TEXT)
    osdear__buf_append(&untar->text, data, size);
  return OSDEAR_OK;
}

osdear_status osdear__untar_write(osdear__untar *untar, const void *data, size_t size, osdear_error **error)
{
  const char *at = data;

  while (size || ((untar->part == PART_FILE || untar->part == PART_TEXT || untar->part == PART_SKIP) && untar->left == 0)) {
    size_t taken = 0;
    osdear_status st = OSDEAR_OK;

    if (untar->part == PART_END)
      return OSDEAR_OK;
    if (untar->part == PART_HEADER) {
      taken = size < TAR_BLOCK - untar->header_size ? size : TAR_BLOCK - untar->header_size;
      memcpy((char *)&untar->header + untar->header_size, at, taken);
      untar->header_size += taken;
      if (untar->header_size == TAR_BLOCK)
        st = read_header(untar, error);
    } else if (untar->part == PART_PADDING) {
      taken = size < untar->padding ? size : untar->padding;
      untar->padding -= taken;
      if (untar->padding == 0)
        untar->part = PART_HEADER;
    } else if (untar->left == 0) {
      st = end_entry(untar, error);
      if (untar->padding == 0)
        untar->part = PART_HEADER;
    } else {
      taken = (uint64_t)untar->left < size ? (size_t)untar->left : size;
      st = take_content(untar, at, taken, error);
      untar->left -= (int64_t)taken;
    }
    if (st)
      return st;
    at += taken;
    size -= taken;
  }
  return OSDEAR_OK;
}

osdear_status osdear__untar_finish(osdear__untar *untar, osdear_error **error)
{
  if (untar->part == PART_END || (untar->part == PART_HEADER && untar->header_size == 0))
    return OSDEAR_OK;
  return corrupt("was cut", error);
}
