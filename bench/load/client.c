/*
 * A load client for chat completions: one thread, a fixed number of connections, each with one request after the
 * other. It connects to loopback only, and its connections, its time and the answers it accepts are bounded.
 *
 *   client -p PORT -c CONNECTIONS -d SECONDS [-w WARM-UP] [-r RAMP] [-s -n EVENTS -t PACE_MS] [-H HEADER]...
 *          [-k PID,PID] [-l PID,PID]
 *
 * Without -s it asks for whole answers; with it, for streams of EVENTS events. Nothing is counted during the warm-up.
 * -k names the processes of the proxy, whose processor time and memory are measured; -l those of the load, besides the
 * client itself. Results are one line of JSON: times in microseconds, memory in KiB, processor time in seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 4000
#define MAX_SECONDS 60
#define MAX_SAMPLES 4000000
#define MAX_PIDS 16
#define MAX_FAILURES 10000
#define BUFFER 65536
#define MAX_HEAD 16384
#define MAX_EVENT 65536

enum stage { IDLE, HEAD, BODY };
enum chunk_stage { SIZE, DATA, DATA_END, TRAILER };

struct connection {
  int fd;
  enum stage stage;
  char *head;
  int head_length, status, close;
  /* Of the body: bytes left (-1: until the connection closes), or where in the chunks it stands. */
  long left;
  int chunked;
  enum chunk_stage chunk_stage;
  long chunk_left;
  char size[16];
  int size_length;
  char *event;
  int event_length, event_capacity;
  uint64_t asked_at;
  int answered;
  long events;
};

struct samples {
  uint32_t *tenths;
  size_t count;
};

struct processes {
  int pids[MAX_PIDS];
  int count;
};

static struct connection *connections;
static int poll_fd, port, streaming, events_wanted = 1, measuring, finished;
static char *request;
static int request_length;
static uint64_t now;
static struct samples first_event, transit, whole;
static unsigned long requests, events, errors, failures;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* Kept in tenths of a microsecond. */
static void add_sample(struct samples *samples, uint64_t ns) {
  if (!measuring || samples->count == MAX_SAMPLES) return;
  uint64_t tenths = ns / 100;
  samples->tenths[samples->count++] = tenths > UINT32_MAX ? UINT32_MAX : tenths;
}

static int compare(const void *one, const void *other) {
  uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
  return (a > b) - (a < b);
}

static double quantile(const struct samples *samples, double q) {
  return samples->count ? samples->tenths[(size_t)(q * (samples->count - 1))] / 10.0 : 0;
}

static void dial(struct connection *c);

static void fail(struct connection *c, const char *what) {
  errors++;
  if (failures++ < 3) fprintf(stderr, "client: %s\n", what);
  if (failures > MAX_FAILURES) {
    fprintf(stderr, "client: more than %d failures\n", MAX_FAILURES);
    exit(3);
  }
  close(c->fd);
  c->stage = IDLE;
  if (!finished) dial(c);
}

static void ask(struct connection *c) {
  c->stage = HEAD;
  c->head_length = c->event_length = c->size_length = 0;
  c->answered = 0;
  c->events = 0;
  c->asked_at = now = now_ns();
  if (write(c->fd, request, request_length) != request_length) fail(c, "a request could not be written");
}

static void dial(struct connection *c) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  for (int attempt = 0; connect(fd, (struct sockaddr *)&address, sizeof address); attempt++) {
    if (attempt == 50) {
      perror("client: connect");
      exit(2);
    }
    usleep(10000);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->fd = fd;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
  ask(c);
}

/* The answer is complete: checks it and asks again. */
static void complete(struct connection *c) {
  if (c->status != 200) {
    char what[64];
    snprintf(what, sizeof what, "an answer with status %d", c->status);
    return fail(c, what);
  }
  if (streaming && c->events != events_wanted) return fail(c, "a stream with too few or too many events");
  if (measuring) requests++;
  add_sample(&whole, now - c->asked_at);
  if (!c->close) return ask(c);
  close(c->fd);
  dial(c);
}

/* An event carries the time of its writing in its id. */
static void take_event(struct connection *c, const char *event, const char *end) {
  if (end - event < 5 || memcmp(event, "data:", 5)) return;
  if (!c->answered) {
    c->answered = 1;
    add_sample(&first_event, now - c->asked_at);
  }
  const char *id = memmem(event, end - event > 80 ? 80 : end - event, "chatcmpl-", 9);
  if (!id) return;
  uint64_t written = 0;
  for (const char *digit = id + 9; digit < end && *digit >= '0' && *digit <= '9'; digit++)
    written = written * 10 + (*digit - '0');
  add_sample(&transit, now > written ? now - written : 0);
  if (measuring) events++;
  c->events++;
}

static void take_stream(struct connection *c, const char *bytes, int length) {
  if (c->event_length + length > MAX_EVENT + BUFFER) return;
  if (c->event_length + length > c->event_capacity) {
    c->event_capacity = (c->event_length + length) * 2;
    c->event = realloc(c->event, c->event_capacity);
  }
  memcpy(c->event + c->event_length, bytes, length);
  c->event_length += length;
  char *event = c->event, *end = c->event + c->event_length, *blank;
  while ((blank = memmem(event, end - event, "\n\n", 2))) {
    take_event(c, event, blank);
    event = blank + 2;
  }
  c->event_length = end - event;
  memmove(c->event, event, c->event_length);
}

static void take_body(struct connection *c, const char *bytes, int length) {
  if (!c->chunked) {
    if (streaming) take_stream(c, bytes, length);
    if (c->left >= 0 && (c->left -= length) <= 0) complete(c);
    return;
  }
  const char *at = bytes, *end = bytes + length;
  while (at < end) {
    switch (c->chunk_stage) {
    case SIZE:
      if (*at == '\n') {
        c->size[c->size_length] = 0;
        c->chunk_left = strtol(c->size, NULL, 16);
        c->size_length = 0;
        c->chunk_stage = c->chunk_left > 0 ? DATA : TRAILER;
      } else if (c->size_length < (int)sizeof c->size - 1) {
        c->size[c->size_length++] = *at;
      }
      at++;
      break;
    case DATA: {
      int n = end - at < c->chunk_left ? end - at : c->chunk_left;
      if (streaming) take_stream(c, at, n);
      at += n;
      c->chunk_left -= n;
      if (c->chunk_left == 0) c->chunk_stage = DATA_END;
      break;
    }
    case DATA_END:
      if (*at++ == '\n') c->chunk_stage = SIZE;
      break;
    case TRAILER:
      if (*at++ == '\n') return complete(c);
    }
  }
}

static void take_head(struct connection *c, const char *bytes, int length) {
  if (c->head_length + length > MAX_HEAD + BUFFER) return fail(c, "a head that does not end");
  memcpy(c->head + c->head_length, bytes, length);
  c->head_length += length;
  c->head[c->head_length] = 0;
  char *blank = memmem(c->head, c->head_length, "\r\n\r\n", 4);
  if (!blank) return;
  *blank = 0;
  c->status = c->head_length > 12 ? atoi(c->head + 9) : 0;
  char *field = strcasestr(c->head, "\r\ncontent-length:");
  c->left = field ? atol(field + 17) : -1;
  c->chunked = strcasestr(c->head, "\r\ntransfer-encoding:") != NULL;
  c->chunk_stage = SIZE;
  c->close = strcasestr(c->head, "\r\nconnection: close") != NULL;
  c->stage = BODY;
  int rest = c->head + c->head_length - (blank + 4);
  if (c->left == 0 && !c->chunked) complete(c);
  else if (rest > 0) take_body(c, blank + 4, rest);
}

static void receive(struct connection *c) {
  static char buffer[BUFFER];
  ssize_t n = read(c->fd, buffer, BUFFER);
  now = now_ns();
  if (n > 0) {
    if (c->stage == HEAD) take_head(c, buffer, n);
    else if (c->stage == BODY) take_body(c, buffer, n);
  } else if (c->stage == BODY && !c->chunked && c->left < 0) {
    c->close = 1;
    complete(c);
  } else {
    fail(c, "a connection closed before its answer was complete");
  }
}

static double processor_time(const struct processes *processes) {
  double seconds = 0;
  for (int i = 0; i < processes->count; i++) {
    clockid_t id;
    struct timespec t;
    if (clock_getcpuclockid(processes->pids[i], &id) || clock_gettime(id, &t)) continue;
    seconds += t.tv_sec + t.tv_nsec / 1e9;
  }
  return seconds;
}

static double own_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

/* Resident memory in KiB. */
static long memory(const struct processes *processes) {
  long sum = 0;
  for (int i = 0; i < processes->count; i++) {
    char path[64];
    long size, resident;
    snprintf(path, sizeof path, "/proc/%d/statm", processes->pids[i]);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    if (fscanf(file, "%ld %ld", &size, &resident) == 2) sum += resident * (sysconf(_SC_PAGESIZE) / 1024);
    fclose(file);
  }
  return sum;
}

static void read_pids(char *list, struct processes *into) {
  for (char *pid = strtok(list, ","); pid && into->count < MAX_PIDS; pid = strtok(NULL, ","))
    into->pids[into->count++] = atoi(pid);
}

static void build_request(const char *headers, int pace) {
  static const char text[] = "please summarise the following text for me ";
  char prompt[401], body[1024], head[12288];
  for (int i = 0; i < 400; i++) prompt[i] = text[i % (sizeof text - 1)];
  prompt[400] = 0;
  int length = snprintf(body, sizeof body,
                        "{\"model\":\"fake-N%d-P%d\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}],"
                        "\"max_tokens\":256,\"temperature\":0.7%s}",
                        events_wanted, pace, prompt, streaming ? ",\"stream\":true" : "");
  snprintf(head, sizeof head,
           "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
           "accept: */*\r\n%scontent-length: %d\r\n\r\n",
           port, headers, length);
  request_length = asprintf(&request, "%s%s", head, body);
}

int main(int count, char **arguments) {
  int width = 1, pace = 0, option;
  double duration = 3, warm_up = 0.5, ramp = 0;
  char headers[8192] = "";
  struct processes proxy = {.count = 0}, load = {.count = 0};
  while ((option = getopt(count, arguments, "p:c:d:w:r:sn:t:H:k:l:")) != -1) {
    switch (option) {
    case 'p': port = atoi(optarg); break;
    case 'c': width = atoi(optarg); break;
    case 'd': duration = atof(optarg); break;
    case 'w': warm_up = atof(optarg); break;
    case 'r': ramp = atof(optarg); break;
    case 's': streaming = 1; break;
    case 'n': events_wanted = atoi(optarg); break;
    case 't': pace = atoi(optarg); break;
    case 'H': {
      size_t used = strlen(headers);
      if (used + strlen(optarg) + 3 > sizeof headers) return 2;
      snprintf(headers + used, sizeof headers - used, "%s\r\n", optarg);
      break;
    }
    case 'k': read_pids(optarg, &proxy); break;
    case 'l': read_pids(optarg, &load); break;
    default: return 2;
    }
  }
  if (port < 1 || port > 65535 || width < 1 || width > MAX_CONNECTIONS || duration <= 0 || warm_up < 0 ||
      duration + warm_up > MAX_SECONDS || ramp < 0 || ramp > warm_up) {
    fprintf(stderr, "client: at most %d connections and %d seconds; the ramp within the warm-up\n", MAX_CONNECTIONS,
            MAX_SECONDS);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  alarm(MAX_SECONDS + 10);
  build_request(headers, pace);
  first_event.tenths = malloc(MAX_SAMPLES * sizeof(uint32_t));
  transit.tenths = malloc(MAX_SAMPLES * sizeof(uint32_t));
  whole.tenths = malloc(MAX_SAMPLES * sizeof(uint32_t));
  connections = calloc(width, sizeof *connections);
  for (int i = 0; i < width; i++) connections[i].head = malloc(MAX_HEAD + 2 * BUFFER + 1);
  poll_fd = epoll_create1(EPOLL_CLOEXEC);

  uint64_t started = now_ns(), measured_from = started + warm_up * 1e9, ends = measured_from + duration * 1e9;
  uint64_t began = 0, looked = 0;
  double proxy_before = 0, load_before = 0, own_before = 0;
  long memory_before = memory(&proxy), memory_most = 0;
  int dialled = 0;
  static struct epoll_event happened[512];
  while ((now = now_ns()) < ends) {
    int due = ramp > 0 ? (int)(width * ((now - started) / 1e9 / ramp)) + 1 : width;
    if (due > width) due = width;
    for (int burst = 0; dialled < due && burst < 64; burst++) dial(&connections[dialled++]);
    int n = epoll_wait(poll_fd, happened, 512, dialled < width ? 1 : 20);
    now = now_ns();
    if (!measuring && now >= measured_from) {
      measuring = 1;
      began = now;
      errors = 0;
      proxy_before = processor_time(&proxy);
      load_before = processor_time(&load);
      own_before = own_time();
    }
    if (measuring && now - looked > 250000000ull) {
      looked = now;
      long most = memory(&proxy);
      if (most > memory_most) memory_most = most;
    }
    for (int i = 0; i < n; i++) receive(happened[i].data.ptr);
  }
  finished = 1;
  double seconds = (now_ns() - began) / 1e9;
  double proxy_time = processor_time(&proxy) - proxy_before, load_time = processor_time(&load) - load_before;
  double client_time = own_time() - own_before;
  qsort(first_event.tenths, first_event.count, sizeof(uint32_t), compare);
  qsort(transit.tenths, transit.count, sizeof(uint32_t), compare);
  qsort(whole.tenths, whole.count, sizeof(uint32_t), compare);
  printf("{\"seconds\":%.3f,\"requests\":%lu,\"events\":%lu,\"errors\":%lu,"
         "\"firstEvent\":{\"p50\":%.1f,\"p99\":%.1f},\"transit\":{\"p50\":%.1f,\"p99\":%.1f},"
         "\"whole\":{\"p50\":%.1f,\"p99\":%.1f},"
         "\"proxyCpu\":%.4f,\"loadCpu\":%.4f,\"clientCpu\":%.4f,\"memoryBefore\":%ld,\"memoryMost\":%ld}\n",
         seconds, requests, events, errors, quantile(&first_event, 0.5), quantile(&first_event, 0.99),
         quantile(&transit, 0.5), quantile(&transit, 0.99), quantile(&whole, 0.5), quantile(&whole, 0.99), proxy_time,
         load_time, client_time, memory_before, memory_most);
  return 0;
}
