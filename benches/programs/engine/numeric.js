// The numeric programs as JavaScript has them. Prints `name result ms`, the best of five.
const fib = n => n < 2 ? n : fib(n - 1) + fib(n - 2);
function nested_sum(n) { let s = 0; for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) s += i * j % 7; return s }
function mandelbrot(n, most) {
  let c = 0;
  for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) {
    const cr = 2.0 * x / n - 1.5, ci = 2.0 * y / n - 1.0; let zr = 0, zi = 0, k = 0;
    while (k < most && zr * zr + zi * zi <= 4.0) { const t = zr * zr - zi * zi + cr; zi = 2.0 * zr * zi + ci; zr = t; k++ }
    c += k;
  }
  return c;
}
function sieve(n) {
  const a = new Array(n).fill(true); let c = 0;
  for (let i = 2; i < n; i++) if (a[i]) { c++; for (let j = i * 2; j < n; j += i) a[j] = false }
  return c;
}
function dot(a, b) { let s = 0; for (let i = 0; i < a.length; i++) s += a[i] * b[i]; return s }
function dots(n, t) {
  const a = new Float64Array(n).map((_, i) => (i % 17) * 0.5), b = new Float64Array(n).map((_, i) => (i % 13) * 0.25);
  let s = 0; for (let k = 0; k < t; k++) s += dot(a, b); return s;
}
const BODIES = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47841760435743,
  4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.606326392995832, 2.81198684491626, -0.02521836165988763, 0.03769367487038949,
  8.34336671824458, 4.124798564124305, -0.4035234171143214, -1.0107743461787924, 1.8256623712304119, 0.008415761376584154, 0.011286326131968767,
  12.894369562139131, -15.111151401698631, -0.22330757889265573, 1.0827910064415354, 0.8687130181696082, -0.010832637401363636, 0.0017237240570597112,
  15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.979090732243898, 0.5946989986476762, -0.034755955507810401, 0.0020336868699246304];
function nbody(steps) {
  const b = Float64Array.from(BODIES);
  for (let s = 0; s < steps; s++) {
    for (let i = 0; i < 5; i++) for (let j = i + 1; j < 5; j++) {
      const p = i * 7, q = j * 7, dx = b[p] - b[q], dy = b[p + 1] - b[q + 1], dz = b[p + 2] - b[q + 2];
      const d = dx * dx + dy * dy + dz * dz, mag = 0.01 / (d * Math.sqrt(d)), mj = b[q + 6] * mag, mi = b[p + 6] * mag;
      b[p + 3] -= dx * mj; b[q + 3] += dx * mi; b[p + 4] -= dy * mj; b[q + 4] += dy * mi; b[p + 5] -= dz * mj; b[q + 5] += dz * mi;
    }
    for (let i = 0; i < 5; i++) for (let k = 0; k < 3; k++) b[i * 7 + k] += 0.01 * b[i * 7 + 3 + k];
  }
  return b[0];
}
function fannkuch(n) {
  const p = Array.from({ length: n }, (_, i) => i), q = new Array(n).fill(0), c = new Array(n).fill(0); let most = 0, r = n;
  for (;;) {
    while (r != 1) { c[r - 1] = r; r-- }
    for (let i = 0; i < n; i++) q[i] = p[i];
    let flips = 0, k = q[0];
    while (k != 0) { let i = 0, j = k; while (i < j) { const t = q[i]; q[i] = q[j]; q[j] = t; i++; j-- } flips++; k = q[0] }
    if (flips > most) most = flips;
    for (;;) {
      if (r == n) return most;
      const first = p[0]; for (let i = 0; i < r; i++) p[i] = p[i + 1]; p[r] = first; c[r]--;
      if (c[r] > 0) break; r++;
    }
  }
}
const entry = (i, j) => 1.0 / (((i + j) * (i + j + 1) >> 1) + i + 1);
function times(v, tr) {
  const n = v.length, out = new Float64Array(n);
  for (let i = 0; i < n; i++) { let s = 0; for (let j = 0; j < n; j++) s += (tr ? entry(j, i) : entry(i, j)) * v[j]; out[i] = s }
  return out;
}
function spectral_norm(n) {
  let u = new Float64Array(n).fill(1), v = u;
  for (let k = 0; k < 5; k++) { v = times(times(u, false), true); u = times(times(v, false), true) }
  let uv = 0, vv = 0; for (let i = 0; i < n; i++) { uv += u[i] * v[i]; vv += v[i] * v[i] } return Math.sqrt(uv / vv);
}
function matrix_multiply(n) {
  const a = new Float64Array(n * n).map((_, i) => i % 7), b = new Float64Array(n * n).map((_, i) => i % 5), c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) { let s = 0; for (let k = 0; k < n; k++) s += a[i * n + k] * b[k * n + j]; c[i * n + j] = s }
  return c[n * n - 1];
}
function run(name, call) {
  let best = Infinity, r; for (let k = 0; k < 5; k++) { const t = performance.now(); r = call(); best = Math.min(best, performance.now() - t) }
  console.log(name, r, best.toFixed(4));
}
run("fib", () => fib(32)); run("nested_sum", () => nested_sum(4000)); run("mandelbrot", () => mandelbrot(300, 200)); run("sieve", () => sieve(2000000));
run("dots", () => dots(100000, 100)); run("nbody", () => nbody(50000)); run("fannkuch", () => fannkuch(9)); run("spectral_norm", () => spectral_norm(300));
run("matrix_multiply", () => matrix_multiply(200));
