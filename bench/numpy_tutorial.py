"""The peer of bench/tutorial.ts: a neural stack trained in plain NumPy, as in Trask's tutorial (2016, part 5).

Rewritten for Python 3 with the structure of the tutorial, so that it costs as much as the tutorial's loop: one
sequence at a time, states in Python lists, strengths row by row with a sum each, an outer product per time step for
every weight matrix, an update every 10 sequences. h = o' = 16, rows of 2, two symbols and an "encode" flag, tanh
outputs, squared error, h_0 and r_0 one-hot. Its backward pass has the tutorial's shortcuts (a pushed vector gets a
gradient only from its own step), because only the cost is compared. The source length is fixed, so there is no
curriculum.

    python3 bench/numpy_tutorial.py --length 10 --seconds 5

prints one line of JSON: time steps trained (2 * length per sequence), seconds, their ratio, the versions of NumPy and
Python, and the absolute error per sequence in the last batch.
"""

import argparse
import json
import sys
import time

try:
    import numpy as np
except ImportError:
    sys.exit("numpy is not installed for this python3: pip install numpy (Debian, Ubuntu: python3-numpy)")

OPTIONS = 2
X_DIM = Y_DIM = OPTIONS + 1
H_DIM = O_PRIME_DIM = 16
STACK_WIDTH = OPTIONS
BATCH = 10
WARM_UP = 2  # mini-batches before the clock starts


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def sigmoid_slope(out):
    return out * (1 - out)


def tanh_slope(out):
    return 1 - out**2


def relu(x):
    return max(0, x)


class Stack:
    """Equations 1 to 3 as written: every step visits every row."""

    def __init__(self):
        self.t = 0
        self.values, self.strengths, self.d, self.u = [], [], [], []
        self.values_error, self.strengths_error, self.d_error, self.u_error = [], [], [], []

    def forward(self, v, d, u):
        self.d.append(d)
        self.d_error.append(0)
        self.u.append(u)
        self.u_error.append(0)
        strengths = np.zeros(self.t + 1)
        for i in range(self.t + 1):
            strengths[i] = self.strength(i)
        self.strengths.append(strengths)
        self.strengths_error.append(np.zeros_like(strengths))
        below = self.values[-1] if self.values else np.zeros((0, STACK_WIDTH))
        self.values.append(np.concatenate((below, np.atleast_2d(v)), axis=0))
        self.values_error.append(np.zeros_like(self.values[-1]))
        read = np.zeros(STACK_WIDTH)
        for i in range(self.t + 1):
            read += self.weight(i) * self.values[self.t][i]
        self.t += 1
        return read

    def strength(self, i):
        if i == self.t:
            return self.d[self.t]
        before = self.strengths[self.t - 1]
        return relu(before[i] - relu(self.u[self.t] - np.sum(before[i + 1 : self.t])))

    def room(self, i):
        return relu(1 - np.sum(self.strengths[self.t][i + 1 : self.t + 1]))

    def weight(self, i):
        return min(self.strengths[self.t][i], self.room(i))

    def backward(self, read_error):
        self.t -= 1
        for i in range(self.t + 1):
            self.values_error[self.t][i] += self.weight(i) * read_error
            error = np.sum(read_error * self.values[self.t][i])
            if self.strengths[self.t][i] < self.room(i):
                self.strengths_error[self.t][i] += error
            elif self.room(i) > 0:
                self.strengths_error[self.t][i + 1 : self.t + 1] -= error
        for i in reversed(range(self.t + 1)):
            self.strength_backward(i, self.strengths_error[self.t][i])

    def strength_backward(self, i, error):
        if i == self.t:
            self.d_error[self.t] += error
            return
        if self.strength(i) >= 0:
            self.strengths_error[self.t - 1][i] += error
            if relu(self.u[self.t] - np.sum(self.strengths[self.t - 1][i + 1 : self.t])) >= 0:
                self.u_error[self.t] -= error
                self.strengths_error[self.t - 1][i + 1 : self.t] += error


def make_parameters(rng):
    shapes = {
        "xh": (X_DIM, H_DIM),
        "hh": (H_DIM, H_DIM),
        "rh": (STACK_WIDTH, H_DIM),
        "h": (H_DIM,),
        "hop": (H_DIM, O_PRIME_DIM),
        "op": (O_PRIME_DIM,),
        "op_d": (O_PRIME_DIM, 1),
        "op_u": (O_PRIME_DIM, 1),
        "op_v": (O_PRIME_DIM, STACK_WIDTH),
        "op_o": (O_PRIME_DIM, Y_DIM),
        "d": (1,),
        "u": (1,),
        "v": (STACK_WIDTH,),
        "o": (Y_DIM,),
    }
    parameters = {name: rng.uniform(-0.1, 0.1, shape) for name, shape in shapes.items()}
    parameters["d"] += 0.2
    return parameters


def one_hot(size):
    vector = np.zeros(size)
    vector[0] = 1
    return vector


def forward(p, x):
    layers, stack = [], Stack()
    for t in range(len(x)):
        now = {"x": x[t]}
        now["h_before"] = layers[-1]["h"] if layers else one_hot(H_DIM)
        now["r_before"] = layers[-1]["r"] if layers else one_hot(STACK_WIDTH)
        now["h"] = np.tanh(
            np.dot(now["x"], p["xh"]) + np.dot(now["h_before"], p["hh"]) + np.dot(now["r_before"], p["rh"]) + p["h"]
        )
        now["op"] = np.tanh(np.dot(now["h"], p["hop"]) + p["op"])
        now["o"] = np.tanh(np.dot(now["op"], p["op_o"]) + p["o"])
        if t < len(x) - 1:
            now["d"] = sigmoid(np.dot(now["op"], p["op_d"]) + p["d"])
            now["u"] = sigmoid(np.dot(now["op"], p["op_u"]) + p["u"])
            now["v"] = np.tanh(np.dot(now["op"], p["op_v"]) + p["v"])
            # In the tutorial these two are arrays of one number, which NumPy 2 no longer accepts as numbers.
            now["r"] = stack.forward(now["v"], now["d"][0], now["u"][0])
        layers.append(now)
    return layers, stack


def backward(p, layers, stack, y):
    """Stores a delta for every activation. Returns the summed absolute error."""
    total = 0
    for t in reversed(range(len(layers))):
        now = layers[t]
        error = y[t] - now["o"]
        total += np.sum(np.abs(error))
        now["o_delta"] = error * tanh_slope(now["o"])
        op_error = np.dot(now["o_delta"], p["op_o"].T)
        if t < len(layers) - 1:
            stack.backward(layers[t + 1]["r_before_error"])
            now["v_delta"] = stack.values_error[t][t] * tanh_slope(now["v"])
            op_error += np.dot(now["v_delta"], p["op_v"].T)
            now["u_delta"] = stack.u_error[t] * sigmoid_slope(now["u"])
            op_error += np.dot(now["u_delta"], p["op_u"].T)
            now["d_delta"] = stack.d_error[t] * sigmoid_slope(now["d"])
            op_error += np.dot(now["d_delta"], p["op_d"].T)
        now["op_delta"] = op_error * tanh_slope(now["op"])
        h_error = np.dot(now["op_delta"], p["hop"].T)
        if t < len(layers) - 1:
            h_error += layers[t + 1]["h_before_error"]
        now["h_delta"] = h_error * tanh_slope(now["h"])
        now["h_before_error"] = np.dot(now["h_delta"], p["hh"].T)
        now["r_before_error"] = np.dot(now["h_delta"], p["rh"].T)
    return total


def collect(update, layers, rate):
    for t, now in enumerate(layers):
        update["xh"] += rate * np.outer(now["x"], now["h_delta"])
        update["hh"] += rate * np.outer(now["h_before"], now["h_delta"])
        update["rh"] += rate * np.outer(now["r_before"], now["h_delta"])
        update["h"] += rate * now["h_delta"]
        update["hop"] += rate * np.outer(now["h"], now["op_delta"])
        update["op"] += rate * now["op_delta"]
        if t < len(layers) - 1:
            update["op_d"] += rate * np.outer(now["op"], now["d_delta"])
            update["op_u"] += rate * np.outer(now["op"], now["u_delta"])
            update["op_v"] += rate * np.outer(now["op"], now["v_delta"])
            update["d"] += rate * now["d_delta"]
            update["u"] += rate * now["u_delta"]
            update["v"] += rate * now["v_delta"]
        update["op_o"] += rate * np.outer(now["op"], now["o_delta"])
        update["o"] += rate * now["o_delta"]


def train_batch(rng, p, update, length):
    """Trains on BATCH sequences. Returns their summed absolute error."""
    total = 0
    for _ in range(BATCH):
        source = rng.integers(OPTIONS, size=length) + 1
        x = np.zeros((2 * length, X_DIM))
        y = np.zeros_like(x)
        for i, symbol in enumerate(source):
            x[i][symbol] = 1
            x[i][0] = 1
            y[-i - 1][symbol] = 1
        layers, stack = forward(p, x)
        total += backward(p, layers, stack, y)
        collect(update, layers, 0.005 * BATCH / length)
    for name, value in p.items():
        value += update[name] / BATCH
        update[name] *= 0
    p["d"] += p["d"] * 0.00025 * BATCH
    return total


def main():
    parser = argparse.ArgumentParser(description="Speed of the tutorial's training loop in plain NumPy.")
    parser.add_argument("--length", type=int, default=10, help="source symbols of every sequence")
    parser.add_argument("--seconds", type=float, default=5, help="time to train for")
    options = parser.parse_args()

    rng = np.random.default_rng(1)
    p = make_parameters(rng)
    update = {name: np.zeros_like(value) for name, value in p.items()}
    for _ in range(WARM_UP):
        train_batch(rng, p, update, options.length)

    sequences, seconds, error = 0, 0.0, 0.0
    start = time.perf_counter()
    while seconds < options.seconds or sequences == 0:
        error = train_batch(rng, p, update, options.length)
        sequences += BATCH
        seconds = time.perf_counter() - start
    steps = sequences * 2 * options.length
    print(
        json.dumps(
            {
                "timeSteps": steps,
                "seconds": seconds,
                "timeStepsPerSecond": steps / seconds,
                "numpy": np.__version__,
                "python": sys.version.split()[0],
                "lastError": error / BATCH,  # summed absolute error per sequence: shows that it learns
            }
        )
    )


main()
