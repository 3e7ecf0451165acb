// The numeric programs with the same checks: overflow and bounds. Prints `name result ms`, the best of five.
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef int64_t i64;
#define NI __attribute__((noinline, noclone))
static inline i64 A(i64 x, i64 y) { i64 r; if (__builtin_expect(__builtin_add_overflow(x, y, &r), 0)) __builtin_trap(); return r; }
static inline i64 S(i64 x, i64 y) { i64 r; if (__builtin_expect(__builtin_sub_overflow(x, y, &r), 0)) __builtin_trap(); return r; }
static inline i64 M(i64 x, i64 y) { i64 r; if (__builtin_expect(__builtin_mul_overflow(x, y, &r), 0)) __builtin_trap(); return r; }
typedef struct { i64 len; i64 *d; } Ints;
typedef struct { i64 len; double *d; } Floats;
static inline i64 *I(Ints *a, i64 i) { if (__builtin_expect((uint64_t)i >= (uint64_t)a->len, 0)) __builtin_trap(); return a->d + i; }
static inline double *F(Floats *a, i64 i) { if (__builtin_expect((uint64_t)i >= (uint64_t)a->len, 0)) __builtin_trap(); return a->d + i; }
static Ints ints(i64 n) { Ints a = {n, calloc(n, 8)}; return a; }
static Floats floats(i64 n) { Floats a = {n, calloc(n, 8)}; return a; }

NI i64 fib(i64 n) { return n < 2 ? n : A(fib(S(n, 1)), fib(S(n, 2))); }
NI i64 nested_sum(i64 n) { i64 s = 0; for (i64 i = 0; i < n; i++) for (i64 j = 0; j < n; j++) s = A(s, M(i, j) % 7); return s; }
NI i64 mandelbrot(i64 n, i64 most) {
  i64 c = 0;
  for (i64 y = 0; y < n; y++) for (i64 x = 0; x < n; x++) {
    double cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1.0, zr = 0, zi = 0; i64 k = 0;
    while (k < most && zr * zr + zi * zi <= 4.0) { double t = zr * zr - zi * zi + cr; zi = 2.0 * zr * zi + ci; zr = t; k = A(k, 1); }
    c = A(c, k);
  }
  return c;
}
NI i64 sieve(i64 n) {
  Ints a = ints(n); for (i64 i = 0; i < n; i++) *I(&a, i) = 1;
  i64 c = 0;
  for (i64 i = 2; i < n; i++) if (*I(&a, i)) { c = A(c, 1); for (i64 j = M(i, 2); j < n; j = A(j, i)) *I(&a, j) = 0; }
  free(a.d); return c;
}
NI double dot(Floats *a, Floats *b) { double s = 0; for (i64 i = 0; i < a->len; i++) s += *F(a, i) * *F(b, i); return s; }
NI double dots(i64 n, i64 t) {
  Floats a = floats(n), b = floats(n); for (i64 i = 0; i < n; i++) { *F(&a, i) = (i % 17) * 0.5; *F(&b, i) = (i % 13) * 0.25; }
  double s = 0; for (i64 k = 0; k < t; k++) s += dot(&a, &b);
  free(a.d); free(b.d); return s;
}
static const double BODIES[35] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743,
  4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949,
  8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767,
  12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.0827910064415354, 0.8687130181696082, -0.010832637401363636, 0.0017237240570597112,
  15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762, -0.034755955507810401, 0.0020336868699246304};
NI double nbody(i64 steps) {
  Floats v = floats(35), *b = &v; memcpy(b->d, BODIES, sizeof BODIES);
  for (i64 s = 0; s < steps; s++) {
    for (i64 i = 0; i < 5; i++) for (i64 j = i + 1; j < 5; j++) {
      i64 p = M(i, 7), q = M(j, 7);
      double dx = *F(b, p) - *F(b, q), dy = *F(b, A(p, 1)) - *F(b, A(q, 1)), dz = *F(b, A(p, 2)) - *F(b, A(q, 2));
      double d = dx * dx + dy * dy + dz * dz, mag = 0.01 / (d * sqrt(d)), mj = *F(b, A(q, 6)) * mag, mi = *F(b, A(p, 6)) * mag;
      *F(b, A(p, 3)) -= dx * mj; *F(b, A(q, 3)) += dx * mi; *F(b, A(p, 4)) -= dy * mj; *F(b, A(q, 4)) += dy * mi; *F(b, A(p, 5)) -= dz * mj; *F(b, A(q, 5)) += dz * mi;
    }
    for (i64 i = 0; i < 5; i++) for (i64 k = 0; k < 3; k++) *F(b, A(M(i, 7), k)) += 0.01 * *F(b, A(A(M(i, 7), 3), k));
  }
  double r = b->d[0]; free(v.d); return r;
}
NI i64 fannkuch(i64 n) {
  Ints p = ints(n), q = ints(n), c = ints(n); for (i64 i = 0; i < n; i++) *I(&p, i) = i;
  i64 most = 0, r = n;
  for (;;) {
    while (r != 1) { *I(&c, S(r, 1)) = r; r = S(r, 1); }
    for (i64 i = 0; i < n; i++) *I(&q, i) = *I(&p, i);
    i64 flips = 0, k = *I(&q, 0);
    while (k != 0) {
      i64 i = 0, j = k;
      while (i < j) { i64 t = *I(&q, i); *I(&q, i) = *I(&q, j); *I(&q, j) = t; i = A(i, 1); j = S(j, 1); }
      flips = A(flips, 1); k = *I(&q, 0);
    }
    if (flips > most) most = flips;
    for (;;) {
      if (r == n) { free(p.d); free(q.d); free(c.d); return most; }
      i64 first = *I(&p, 0); for (i64 i = 0; i < r; i++) *I(&p, i) = *I(&p, A(i, 1));
      *I(&p, r) = first; *I(&c, r) = S(*I(&c, r), 1);
      if (*I(&c, r) > 0) break;
      r = A(r, 1);
    }
  }
}
static inline double entry(i64 i, i64 j) { return 1.0 / A(A(M(A(i, j), A(A(i, j), 1)) / 2, i), 1); }
NI Floats times(Floats *v, int tr) {
  i64 n = v->len; Floats out = floats(n);
  for (i64 i = 0; i < n; i++) { double s = 0; for (i64 j = 0; j < n; j++) s += (tr ? entry(j, i) : entry(i, j)) * *F(v, j); *F(&out, i) = s; }
  return out;
}
static Floats twice(Floats *v) { Floats t = times(v, 0), u = times(&t, 1); free(t.d); return u; }
NI double spectral_norm(i64 n) {
  Floats u = floats(n), v = floats(n); for (i64 i = 0; i < n; i++) *F(&u, i) = 1.0;
  for (i64 k = 0; k < 5; k++) { free(v.d); v = twice(&u); free(u.d); u = twice(&v); }
  double uv = 0, vv = 0; for (i64 i = 0; i < n; i++) { uv += *F(&u, i) * *F(&v, i); vv += *F(&v, i) * *F(&v, i); }
  free(u.d); free(v.d); return sqrt(uv / vv);
}
NI double matrix_multiply(i64 n) {
  Floats a = floats(n * n), b = floats(n * n), c = floats(n * n); for (i64 i = 0; i < n * n; i++) { *F(&a, i) = i % 7; *F(&b, i) = i % 5; }
  for (i64 i = 0; i < n; i++) for (i64 j = 0; j < n; j++) { double s = 0; for (i64 k = 0; k < n; k++) s += *F(&a, A(M(i, n), k)) * *F(&b, A(M(k, n), j)); *F(&c, A(M(i, n), j)) = s; }
  double r = *F(&c, n * n - 1); free(a.d); free(b.d); free(c.d); return r;
}
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
#define RUN(name, call) { double best = 1e18; volatile double r = 0; for (int k = 0; k < 5; k++) { double t = now(); r = (double)(call); t = now() - t; if (t < best) best = t; } printf("%s %.17g %.4f\n", name, r, best); }
int main(void) {
  RUN("fib", fib(32)) RUN("nested_sum", nested_sum(4000)) RUN("mandelbrot", mandelbrot(300, 200)) RUN("sieve", sieve(2000000)) RUN("dots", dots(100000, 100))
  RUN("nbody", nbody(50000)) RUN("fannkuch", fannkuch(9)) RUN("spectral_norm", spectral_norm(300)) RUN("matrix_multiply", matrix_multiply(200))
}
