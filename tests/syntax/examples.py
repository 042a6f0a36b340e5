"""The examples of the language, and one line for every form it has."""

EXAMPLES = {
    "halfspace": """
# halfspace.vf: the oracle sees size; the model also looks at hue
domain X { size: real in [0, 1], hue: real in [0, 1] }
labels { small, big }

oracle f2 {
  features s = size
  metric   linf
  decide   if s >= 1/2 then big else small
}
model f1 {
  features s = size, h = hue
  decide   if s + h/10 >= 1/2 then big else small
}

assert A1: contained(f1, f2)               expect refuted
assert A2: unnecessary(f1, f2, h)
assert A3: strongly_robust(f1, f2, radius: 1/10) expect refuted
compute R: critical_radius(f1, f2)
""",
    "relu": """
# relu.vf: a ReLU network written out; local robustness at a point
domain X { x: real^2 in [0, 1] }
labels { cat, dog }
def hidden(v) = relu([[1, -1], [1, 1]] * v + [0, -1])
oracle f2 { features x = x   metric linf   decide if x[0] >= x[1] then cat else dog }
model  f1 { features h = hidden(x)         decide argmax(cat: h[0], dog: 1/4) }
point p = { x: [0.9, 0.1] }
assert D1: robust_at(f1, f2, p, radius: 0.2)
assert D2: min_distance(f1, f2, p) == 11/40        # approached, not attained
assert D3: forall u, v in X: f2.x(u) == f2.x(v) => f1.h(u) == f1.h(v)
""",
    "credit": """
# credit.vf: individual fairness of a trained model, and radius, probability, data
param gap = 2 in (0, 10]                       # overridable: --set gap=3; a scale divides
domain X { age: int in [18, 90], income: real in [0, 200000], sex: {f, m}, race: {a, b, c} }
labels { deny, grant }
model  f1 = onnx("credit.onnx", inputs: [age/90, income/200000, code(sex), onehot(race)], features: last_hidden)
oracle f2 { features all except sex, race   metric linf(scale: {age: gap, income: 500}) }
data   D  = csv("credit.csv", label: approved)
assert F1: factors(f1, f2)                     # no two people who differ only in sex or race are treated differently
assert F2: strongly_robust(f1, f2, radius: 1, where: margin(f1) >= 1/20)
assert F3: accuracy(f1, D) >= 0.9
assert F4: forall row in D: robust_at(f1, f2, row, radius: 1)
assert F5: strongly_robust(f1, f2, radius: 1/10, eta: 1/20, over: uniform(X))
""",
    "grade": """
# grade.vf: the course owns domain, oracle and assertions; the submission may only declare f1
use "week3.vf"
use (f1) from "submission.vf"
@points(4) @hint("Which input does the oracle ignore?")
assert Q1: contained(f1, f2)
@points(2) @hidden
assert Q2: exists x in X: f1(x) == big
""",
}

SNIPPETS = [
    "domain X { a: real, b: int in [0, 9], c: {x, y}, d: real^2 in [0, 1], e: real^(n + 1), }",
    "domain X { a: real in [0, 1], b: int in [0, 9] } where a + b <= 3 or a >= 1/2",
    "domain X { a: real in [0, 1], b: int in [0, 9], where a + b <= 3 }",
    "domain X { x': real in (0, 1) }",
    "labels { a, b, }",
    "let W = [[1, 2], [3, 4],]",
    'let W = matrix("w.csv")',
    "let W = []",
    "def f(u, v,) = u + v",
    "param gap = 2 in (0, 10]",
    "param gap = -1/2",
    "point p = { x: [0.9, 0.1], sex: f, }",
    'data D = csv("f.csv", label: approved)',
    'model f1 = onnx("..", inputs: [a/90, onehot(b)], features: last_hidden)',
    'oracle f2 = table("t.csv")',
    "model f1 { }",
    "model f1 { decide argmax(a: 1, b: 2, ties: first) metric 2*linf features all }",
    "oracle f2 { features all except sex, race metric linf(scale: {age: gap, income: 500}) }",
    "oracle f2 { features s = size, h = hue, metric d(u, v) = abs(u.s - v.s) decide big }",
    'use "f.vf"',
    'use (a, b,) from "f.vf"',
    "assert A: contained(f1, f2, of: decision) expect proved",
    "assert A: forall u, u' in X: u.s <= u'.s => f1(u) == f1(u')",
    "assert A: 0 <= x < 1 and not (p or q) <=> true",
    '@points(4) @hint("Which?", late: true) @hidden assert A: factors(f1, f2)',
    "@hidden() assert A: p",
    "compute R: critical_radius(f1, f2)",
    'let t = "a \\"quoted\\" \\\\ line\\n"',
    "let a = f2.x(u)[0].y - -+3",
    "let a\r\n=\t1 # the end",
]
