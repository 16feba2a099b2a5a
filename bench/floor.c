/* The limit of a header scan: openat + pread of 4 KB + close for each path on standard input, on so many threads.
   floor THREADS < PATHS: prints wall and CPU seconds as JSON. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char **paths;
static size_t count, next;

static void *work(void *unused)
{
    char block[4096];
    size_t k;
    (void)unused;
    while ((k = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count) {
        int file = openat(AT_FDCWD, paths[k], O_RDONLY | O_CLOEXEC);
        if (file < 0 || pread(file, block, sizeof block, 0) < 0) {
            perror(paths[k]);
            exit(1);
        }
        close(file);
    }
    return NULL;
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    size_t room = 0;
    char *line = NULL;
    pthread_t thread[64];
    double wall, cpu;

    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\n")] = 0;
        paths = realloc(paths, (count + 1) * sizeof *paths);
        paths[count++] = strdup(line);
    }
    wall = seconds(CLOCK_MONOTONIC);
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int k = 0; k < threads; k++)
        pthread_create(&thread[k], NULL, work, NULL);
    for (int k = 0; k < threads; k++)
        pthread_join(thread[k], NULL);
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"wall\": %.6f, \"cpu\": %.6f}\n", wall, cpu);
    return 0;
}
