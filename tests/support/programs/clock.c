/*
 * Loaded in front of the C library: the clocks of this process alone. The wall clock stands a thousand seconds before 1970 until
 * the other is moved.
 */
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long moved;

/* Moves the clock that only goes forward. */
void move_clock(long seconds)
{
    moved += seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_MONOTONIC)
        time->tv_sec += moved;
    if (result == 0 && clock == CLOCK_REALTIME && moved == 0)
        time->tv_sec = -1000;
    return result;
}
