"""The numeric programs as CPython has them. Prints `name result ms`, the best of two: they take seconds."""
import math, time

def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def nested_sum(n):
    s = 0
    for i in range(n):
        for j in range(n): s += i * j % 7
    return s
def mandelbrot(n, most):
    c = 0
    for y in range(n):
        for x in range(n):
            cr = 2.0 * x / n - 1.5; ci = 2.0 * y / n - 1.0; zr = zi = 0.0; k = 0
            while k < most and zr * zr + zi * zi <= 4.0:
                t = zr * zr - zi * zi + cr; zi = 2.0 * zr * zi + ci; zr = t; k += 1
            c += k
    return c
def sieve(n):
    a = [True] * n; c = 0
    for i in range(2, n):
        if a[i]:
            c += 1; j = i * 2
            while j < n: a[j] = False; j += i
    return c
def dot(a, b):
    s = 0.0
    for i in range(len(a)): s += a[i] * b[i]
    return s
def dots(n, t):
    a = [(i % 17) * 0.5 for i in range(n)]; b = [(i % 13) * 0.25 for i in range(n)]; s = 0.0
    for _ in range(t): s += dot(a, b)
    return s
BODIES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743,
  4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949,
  8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767,
  12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.0827910064415354, 0.8687130181696082, -0.010832637401363636, 0.0017237240570597112,
  15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762, -0.034755955507810401, 0.0020336868699246304]
def nbody(steps):
    b = list(BODIES)
    for _ in range(steps):
        for i in range(5):
            for j in range(i + 1, 5):
                p = i * 7; q = j * 7; dx = b[p] - b[q]; dy = b[p + 1] - b[q + 1]; dz = b[p + 2] - b[q + 2]
                d = dx * dx + dy * dy + dz * dz; mag = 0.01 / (d * math.sqrt(d)); mj = b[q + 6] * mag; mi = b[p + 6] * mag
                b[p + 3] -= dx * mj; b[q + 3] += dx * mi; b[p + 4] -= dy * mj; b[q + 4] += dy * mi; b[p + 5] -= dz * mj; b[q + 5] += dz * mi
        for i in range(5):
            for k in range(3): b[i * 7 + k] += 0.01 * b[i * 7 + 3 + k]
    return b[0]
def fannkuch(n):
    p = list(range(n)); q = [0] * n; c = [0] * n; most = 0; r = n
    while True:
        while r != 1: c[r - 1] = r; r -= 1
        for i in range(n): q[i] = p[i]
        flips = 0; k = q[0]
        while k != 0:
            i = 0; j = k
            while i < j: q[i], q[j] = q[j], q[i]; i += 1; j -= 1
            flips += 1; k = q[0]
        if flips > most: most = flips
        while True:
            if r == n: return most
            first = p[0]
            for i in range(r): p[i] = p[i + 1]
            p[r] = first; c[r] -= 1
            if c[r] > 0: break
            r += 1
def entry(i, j): return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)
def times(v, tr):
    n = len(v); out = [0.0] * n
    for i in range(n):
        s = 0.0
        for j in range(n): s += (entry(j, i) if tr else entry(i, j)) * v[j]
        out[i] = s
    return out
def spectral_norm(n):
    u = [1.0] * n; v = u
    for _ in range(5): v = times(times(u, False), True); u = times(times(v, False), True)
    uv = vv = 0.0
    for i in range(n): uv += u[i] * v[i]; vv += v[i] * v[i]
    return math.sqrt(uv / vv)
def matrix_multiply(n):
    a = [float(i % 7) for i in range(n * n)]; b = [float(i % 5) for i in range(n * n)]; c = [0.0] * (n * n)
    for i in range(n):
        for j in range(n):
            s = 0.0
            for k in range(n): s += a[i * n + k] * b[k * n + j]
            c[i * n + j] = s
    return c[n * n - 1]
def run(name, call):
    best = 1e18
    for _ in range(2): t = time.perf_counter(); r = call(); best = min(best, (time.perf_counter() - t) * 1e3)
    print(name, r, f"{best:.4f}")
run("fib", lambda: fib(32)); run("nested_sum", lambda: nested_sum(4000)); run("mandelbrot", lambda: mandelbrot(300, 200)); run("sieve", lambda: sieve(2000000))
run("dots", lambda: dots(100000, 100)); run("nbody", lambda: nbody(50000)); run("fannkuch", lambda: fannkuch(9)); run("spectral_norm", lambda: spectral_norm(300))
run("matrix_multiply", lambda: matrix_multiply(200))
