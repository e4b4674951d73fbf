/*
 * A model server for benchmarks: answers chat completions from memory, on one thread, on loopback only.
 *
 *   upstream PORT SECONDS
 *
 * A request with `"stream":true` and the model `fake-N<events>-P<pace>` gets that many events: one every <pace>
 * milliseconds, or, at pace 0, as fast as the connection takes them. Each event is one HTTP chunk and one write, as a
 * model server really writes, and carries the time of its writing (CLOCK_MONOTONIC, ns) in its id. Every other request
 * gets one small JSON answer.
 *
 * It ends after SECONDS, and with the process that started it.
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

#define MAX_CONNECTIONS 8192
#define MAX_REQUEST (256 * 1024)
#define MAX_UNSENT (1024 * 1024)
#define MAX_EVENTS 100000
#define MAX_SECONDS 3600
/* One slot a millisecond; also the longest pace. */
#define WHEEL 4096
#define NONE (-1)

enum stepped { CLOSED, GOES_ON, OVER };

struct connection {
  int open;
  char *in;
  int in_length, in_capacity;
  char *out;
  int out_length, out_sent, out_capacity;
  int streaming, events, sent, pace;
  /* The socket takes no more: EPOLLOUT is awaited. */
  int blocked;
  /* In the list of streams that write without pause. */
  int flat_out, next_flat_out, previous_flat_out;
  /* In a slot of the wheel. */
  int slot, next_in_slot;
};

static struct connection connections[MAX_CONNECTIONS];
static int poll_fd;
static int first_flat_out = NONE;
static int wheel[WHEEL];
static int paced;
static uint64_t tick;
static char json_answer[2048];
static int json_length;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void watch(int fd, int writable) {
  struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.fd = fd};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void enter_flat_out(int fd) {
  struct connection *c = &connections[fd];
  if (c->flat_out) return;
  c->flat_out = 1;
  c->next_flat_out = first_flat_out;
  c->previous_flat_out = NONE;
  if (first_flat_out != NONE) connections[first_flat_out].previous_flat_out = fd;
  first_flat_out = fd;
}

static void leave_flat_out(int fd) {
  struct connection *c = &connections[fd];
  if (!c->flat_out) return;
  c->flat_out = 0;
  if (c->previous_flat_out != NONE) connections[c->previous_flat_out].next_flat_out = c->next_flat_out;
  else first_flat_out = c->next_flat_out;
  if (c->next_flat_out != NONE) connections[c->next_flat_out].previous_flat_out = c->previous_flat_out;
}

static void enter_wheel(int fd, int delay) {
  struct connection *c = &connections[fd];
  c->slot = (tick + (delay < 1 ? 1 : delay)) % WHEEL;
  c->next_in_slot = wheel[c->slot];
  wheel[c->slot] = fd;
  paced++;
}

static void leave_wheel(int fd) {
  struct connection *c = &connections[fd];
  if (c->slot == NONE) return;
  for (int *at = &wheel[c->slot]; *at != NONE; at = &connections[*at].next_in_slot) {
    if (*at != fd) continue;
    *at = c->next_in_slot;
    paced--;
    break;
  }
  c->slot = NONE;
}

static void close_connection(int fd) {
  struct connection *c = &connections[fd];
  leave_flat_out(fd);
  leave_wheel(fd);
  close(fd);
  c->open = c->streaming = c->blocked = 0;
  c->in_length = c->out_length = c->out_sent = 0;
}

/* Writes what waits. 0: closed. */
static int flush(int fd) {
  struct connection *c = &connections[fd];
  while (c->out_sent < c->out_length) {
    ssize_t n = write(fd, c->out + c->out_sent, c->out_length - c->out_sent);
    if (n < 0) {
      if (errno == EAGAIN) return 1;
      close_connection(fd);
      return 0;
    }
    c->out_sent += n;
  }
  c->out_length = c->out_sent = 0;
  c->blocked = 0;
  watch(fd, 0);
  return 1;
}

/* Writes, or keeps what the socket does not take. 0: closed. */
static int send_bytes(int fd, const char *bytes, int length) {
  struct connection *c = &connections[fd];
  if (!c->blocked) {
    ssize_t n = write(fd, bytes, length);
    if (n == length) return 1;
    if (n < 0 && errno != EAGAIN) {
      close_connection(fd);
      return 0;
    }
    if (n > 0) bytes += n, length -= n;
  }
  if (c->out_length + length > MAX_UNSENT) {
    close_connection(fd);
    return 0;
  }
  if (c->out_length + length > c->out_capacity) {
    c->out_capacity = (c->out_length + length) * 2;
    c->out = realloc(c->out, c->out_capacity);
  }
  memcpy(c->out + c->out_length, bytes, length);
  c->out_length += length;
  if (!c->blocked) {
    c->blocked = 1;
    watch(fd, 1);
  }
  return 1;
}

static const char *const WORDS[] = {" the",     " model", " returns", " a",    " streaming", " answer", " that",
                                    " contains", " several", " tokens", " and",  " some",      " numbers", " like",
                                    " 42",      " or",    " names",   ",",     ".",          " which",  " are",
                                    " then",    " checked", " by",     " our",  " gateway"};
#define WORD_COUNT (int)(sizeof WORDS / sizeof *WORDS)

/* Sends the next event of a stream, and the end behind the last. */
static enum stepped send_event(int fd) {
  struct connection *c = &connections[fd];
  if (c->sent == c->events) {
    static const char end[] = "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
    c->streaming = 0;
    return send_bytes(fd, end, sizeof end - 1) ? OVER : CLOSED;
  }
  char event[1024], chunk[1100];
  const char *word = WORDS[(c->sent * 7 + fd) % WORD_COUNT];
  c->sent++;
  int length = snprintf(event, sizeof event,
                        "data: {\"id\":\"chatcmpl-%019llu\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
                        "\"model\":\"gpt-4o-mini-2024-07-18\",\"system_fingerprint\":\"fp_3fb1e0f9a3\",\"choices\":[{"
                        "\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":%s}]}\n\n",
                        (unsigned long long)now_ns(), word, c->sent == c->events ? "\"stop\"" : "null");
  length = snprintf(chunk, sizeof chunk, "%x\r\n%s\r\n", length, event);
  return send_bytes(fd, chunk, length) ? GOES_ON : CLOSED;
}

static int number_behind(const char *text, const char *mark, int most) {
  const char *at = strstr(text, mark);
  int number = at ? atoi(at + strlen(mark)) : 0;
  return number < 0 ? 0 : number > most ? most : number;
}

static void answer_requests(int fd);

static void step(int fd) {
  struct connection *c = &connections[fd];
  switch (send_event(fd)) {
  case CLOSED:
    return;
  case GOES_ON:
    if (c->pace > 0) enter_wheel(fd, c->pace);
    else if (c->blocked) leave_flat_out(fd);
    return;
  case OVER:
    leave_flat_out(fd);
    answer_requests(fd);
  }
}

static void start_stream(int fd, int events, int pace) {
  static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                             "cache-control: no-cache\r\nx-request-id: req_0123456789abcdef\r\n"
                             "openai-processing-ms: 12\r\ntransfer-encoding: chunked\r\n\r\n";
  static uint32_t seed = 12345;
  struct connection *c = &connections[fd];
  c->streaming = 1;
  c->events = events;
  c->sent = 0;
  c->pace = pace;
  if (!send_bytes(fd, head, sizeof head - 1)) return;
  if (pace == 0) {
    enter_flat_out(fd);
    return;
  }
  /* The first event at once, the second at a random time within the pace, so that streams do not march in step. */
  seed = seed * 1664525u + 1013904223u;
  switch (send_event(fd)) {
  case GOES_ON:
    enter_wheel(fd, 1 + (seed >> 8) % pace);
    return;
  case OVER:
  case CLOSED:
    return;
  }
}

/* The length of the first request if all of it is here, 0 if not. `head` gets the length of its head. */
static int complete_request(struct connection *c, int *head) {
  c->in[c->in_length] = 0;
  char *blank = memmem(c->in, c->in_length, "\r\n\r\n", 4);
  if (!blank) return 0;
  *head = blank + 4 - c->in;
  *blank = 0;
  char *field = strcasestr(c->in, "\r\ncontent-length:");
  long length = field ? atol(field + 17) : 0;
  int chunked = !field && strcasestr(c->in, "\r\ntransfer-encoding:") != NULL;
  *blank = '\r';
  if (chunked) {
    char *end = memmem(blank + 2, c->in_length - (*head - 2), "\r\n0\r\n\r\n", 7);
    return end ? end + 7 - c->in : 0;
  }
  if (length < 0 || length > MAX_REQUEST) return 0;
  return *head + length <= c->in_length ? *head + (int)length : 0;
}

static void answer_requests(int fd) {
  struct connection *c = &connections[fd];
  int head, total;
  while (c->open && !c->streaming && c->in_length > 0 && (total = complete_request(c, &head)) > 0) {
    char behind = c->in[total];
    c->in[total] = 0;
    const char *body = c->in + head;
    int stream = strstr(body, "\"stream\":true") != NULL;
    int events = number_behind(body, "fake-N", MAX_EVENTS);
    int pace = number_behind(body, "-P", WHEEL - 1);
    c->in[total] = behind;
    memmove(c->in, c->in + total, c->in_length - total);
    c->in_length -= total;
    if (stream) start_stream(fd, events > 0 ? events : 1, pace);
    else if (!send_bytes(fd, json_answer, json_length)) return;
  }
}

static void accept_connections(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    if (fd >= MAX_CONNECTIONS) {
      close(fd);
      continue;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *c = &connections[fd];
    c->open = 1;
    c->slot = NONE;
    if (!c->in) {
      c->in_capacity = 8192;
      c->in = malloc(c->in_capacity + 1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
  }
}

static void read_requests(int fd) {
  struct connection *c = &connections[fd];
  if (c->in_capacity - c->in_length < 4096) {
    if (c->in_capacity >= MAX_REQUEST) return close_connection(fd);
    c->in_capacity *= 2;
    c->in = realloc(c->in, c->in_capacity + 1);
  }
  ssize_t n = read(fd, c->in + c->in_length, c->in_capacity - c->in_length);
  if (n > 0) {
    c->in_length += n;
    answer_requests(fd);
  } else if (n == 0 || errno != EAGAIN) {
    close_connection(fd);
  }
}

static void handle(int fd, uint32_t happened) {
  struct connection *c = &connections[fd];
  if (!c->open) return;
  if (happened & EPOLLOUT) {
    if (!flush(fd)) return;
    if (!c->blocked && c->streaming && c->pace == 0) enter_flat_out(fd);
  }
  if (happened & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_requests(fd);
}

static void turn_wheel(void) {
  uint64_t target = now_ns() / 1000000;
  while (tick < target) {
    tick++;
    int fd = wheel[tick % WHEEL];
    wheel[tick % WHEEL] = NONE;
    while (fd != NONE) {
      int next = connections[fd].next_in_slot;
      connections[fd].slot = NONE;
      paced--;
      step(fd);
      fd = next;
    }
  }
}

static void prepare_answer(void) {
  static const char body[] =
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion\",\"created\":1760000000,"
      "\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
      "\"Hello! Here is a short answer with a few words in it, long enough to look real. How can I assist you today?\","
      "\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":"
      "19,\"completion_tokens\":10,\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":"
      "0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
      "\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\"}";
  json_length = snprintf(json_answer, sizeof json_answer,
                         "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_0123456789abcdef\r\n"
                         "openai-processing-ms: 12\r\ncontent-length: %zu\r\n\r\n%s",
                         sizeof body - 1, body);
}

static int listen_on(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096)) {
    perror("upstream");
    exit(1);
  }
  return fd;
}

int main(int count, char **arguments) {
  int port = count == 3 ? atoi(arguments[1]) : 0, seconds = count == 3 ? atoi(arguments[2]) : 0;
  if (port < 1 || port > 65535 || seconds < 1 || seconds > MAX_SECONDS) {
    fprintf(stderr, "usage: upstream PORT SECONDS (1 to %d)\n", MAX_SECONDS);
    return 2;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGPIPE, SIG_IGN);
  alarm(seconds);
  prepare_answer();
  for (int slot = 0; slot < WHEEL; slot++) wheel[slot] = NONE;
  tick = now_ns() / 1000000;
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  int listener = listen_on(port);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &event);
  static struct epoll_event happened[1024];
  for (;;) {
    int n = epoll_wait(poll_fd, happened, 1024, first_flat_out != NONE ? 0 : paced > 0 ? 1 : 100);
    for (int i = 0; i < n; i++) {
      if (happened[i].data.fd == listener) accept_connections(listener);
      else handle(happened[i].data.fd, happened[i].events);
    }
    for (int fd = first_flat_out; fd != NONE;) {
      int next = connections[fd].next_flat_out;
      if (connections[fd].blocked) leave_flat_out(fd);
      else step(fd);
      fd = next;
    }
    turn_wheel();
  }
}
