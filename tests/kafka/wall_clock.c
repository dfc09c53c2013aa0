/* A wall clock that is an hour ahead for as long as the file $CLOCK_AHEAD is there; to be preloaded.
   A thread that has looked at it while it was ahead adds its name to $CLOCK_AHEAD.seen, once. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *ahead;
static char seen[4096];
static int (*real_clock)(clockid_t, struct timespec *);
static int (*real_time)(struct timeval *, void *);
static __thread int noted;

__attribute__((constructor)) static void begin(void) {
  real_clock = dlsym(RTLD_NEXT, "clock_gettime");
  real_time = dlsym(RTLD_NEXT, "gettimeofday");
  ahead = getenv("CLOCK_AHEAD");
  if (ahead) snprintf(seen, sizeof seen, "%s.seen", ahead);
}

static int is_ahead(void) {
  if (!ahead || access(ahead, F_OK) != 0) return 0;
  if (!noted) {
    char name[32] = "";
    int file = open(seen, O_WRONLY | O_CREAT | O_APPEND, 0600);
    noted = 1;
    prctl(PR_GET_NAME, name);
    strcat(name, "\n");
    if (file >= 0) {
      if (write(file, name, strlen(name)) < 0) noted = 0;
      close(file);
    }
  }
  return 1;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = real_clock(clock, now);
  if (clock == CLOCK_REALTIME && is_ahead()) now->tv_sec += 3600;
  return result;
}

int gettimeofday(struct timeval *now, void *zone) {
  int result = real_time(now, zone);
  if (now && is_ahead()) now->tv_sec += 3600;
  return result;
}

int timespec_get(struct timespec *now, int base) {
  return clock_gettime(CLOCK_REALTIME, now) == 0 ? base : 0;
}
