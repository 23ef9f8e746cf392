// Images side by side in the lanes of vector registers, maps of their pixels, and the parameters trained on them.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

#ifndef REAL
#define REAL float  // double shows in tests that nothing but rounding tells these trainings from torch's.
#endif
using Real = REAL;

constexpr int LANES = 32;  // Images side by side; a batch fills the first of them, the others stay zero.
using V = Real __attribute__((vector_size(64)));
constexpr int PER_VECTOR = sizeof(V) / sizeof(Real), PARTS = LANES / PER_VECTOR;

constexpr Real SGD_MOMENTUM = 0.9;

template <int C, int S>
struct Map {
    V at[C][S][S][PARTS];

    void clear() { *this = Map{}; }
    V* flat() { return &at[0][0][0][0]; }
    const V* flat() const { return &at[0][0][0][0]; }
    static constexpr int PER_CHANNEL = S * S * PARTS, SIZE = C * PER_CHANNEL;
};

/// A map with a border of zeros, so that a convolution needs no case for the edge of an image.
template <int C, int S>
using Padded = Map<C, S + 2>;

/// Sum over lanes, by halves: as a chain of additions it would take as long as the convolutions.
Real total(const V& v) {
    using Half = Real __attribute__((vector_size(sizeof(V) / 2)));
    using Quarter = Real __attribute__((vector_size(sizeof(V) / 4)));
    Half half[2];
    std::memcpy(half, &v, sizeof(v));
    const Half folded = half[0] + half[1];
    Quarter quarter[2];
    std::memcpy(quarter, &folded, sizeof(folded));
    const Quarter last = quarter[0] + quarter[1];
    Real sum = 0;
    for (int i = 0; i < PER_VECTOR / 4; ++i) sum += last[i];
    return sum;
}

/// Which lanes hold an image.
struct Lanes {
    V live[PARTS]{};
    int count;

    explicit Lanes(int images) : count(images) {
        for (int i = 0; i < images; ++i) live[i / PER_VECTOR][i % PER_VECTOR] = 1;
    }
};

/// One parameter tensor inside the flat vectors of all values and all gradients.
struct Weights {
    Real *value, *gradient;
};

struct Parameters {
    std::vector<Real> values, gradients, velocity;
    std::size_t used = 0;

    Parameters(const Real* initial, std::size_t n) : values(initial, initial + n), gradients(n), velocity(n) {}

    Weights take(std::size_t n) {
        Weights taken{values.data() + used, gradients.data() + used};
        used += n;
        return taken;
    }

    /// Nesterov momentum and weight decay as in torch.optim.SGD.
    void step(Real rate, Real decay) {
        for (std::size_t i = 0; i < values.size(); ++i) {
            const Real gradient = gradients[i] + decay * values[i];
            velocity[i] = SGD_MOMENTUM * velocity[i] + gradient;
            values[i] -= rate * (gradient + SGD_MOMENTUM * velocity[i]);
        }
    }
};

}  // namespace
