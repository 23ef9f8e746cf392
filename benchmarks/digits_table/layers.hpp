// The layers of a cell, forward and backward.

#pragma once

#include "lanes.hpp"

namespace {

constexpr Real EPSILON = 1e-5;  // Of torch's batch normalization.
constexpr Real RUNNING = 0.1;   // Likewise: weight of a new batch in the running statistics.

/// y[o] = sum over c and taps of w[c][tap][o] * x[c]; K is the kernel's width.
template <int K, int I, int O, int S>
void convolve(const Padded<I, S>& x, const Real* w, Map<O, S>& y) {
    constexpr int FIRST = (3 - K) / 2;
    for (int row = 0; row < S; ++row)
        for (int column = 0; column < S; ++column) {
            V sum[O][PARTS]{};
            for (int c = 0; c < I; ++c)
                for (int i = 0; i < K; ++i)
                    for (int j = 0; j < K; ++j) {
                        const V* pixel = x.at[c][row + FIRST + i][column + FIRST + j];
                        const Real* weight = w + ((c * K + i) * K + j) * O;
#pragma GCC unroll 12
                        for (int o = 0; o < O; ++o)
                            for (int h = 0; h < PARTS; ++h) sum[o][h] += weight[o] * pixel[h];
                    }
            for (int o = 0; o < O; ++o)
                for (int h = 0; h < PARTS; ++h) y.at[o][row][column][h] = sum[o][h];
        }
}

/// gradient[o][c][tap] = sum over pixels and images of dy[o] * x[c] at the tap.
template <int K, int I, int O, int S>
void correlate(const Padded<I, S>& x, const Padded<O, S>& dy, Real* gradient) {
    constexpr int FIRST = (3 - K) / 2, BLOCK = 6;
    static_assert(O % BLOCK == 0);
    for (int block = 0; block < O; block += BLOCK)
        for (int c = 0; c < I; ++c)
            for (int i = 0; i < K; ++i) {
                V sum[BLOCK][K]{};
                for (int row = 0; row < S; ++row)
                    for (int column = 0; column < S; ++column)
#pragma GCC unroll 2
                        for (int h = 0; h < PARTS; ++h) {
                            V pixel[K];
                            for (int j = 0; j < K; ++j)
                                pixel[j] = x.at[c][row + FIRST + i][column + FIRST + j][h];
#pragma GCC unroll 6
                            for (int o = 0; o < BLOCK; ++o) {
                                const V d = dy.at[block + o][row + 1][column + 1][h];
#pragma GCC unroll 3
                                for (int j = 0; j < K; ++j) sum[o][j] += d * pixel[j];
                            }
                        }
                for (int o = 0; o < BLOCK; ++o)
                    for (int j = 0; j < K; ++j)
                        gradient[(((block + o) * I + c) * K + i) * K + j] = total(sum[o][j]);
            }
}

/// Batch normalization. Dead lanes leave it as zeros, forward and backward, and stay so everywhere else.
template <int C, int S>
struct Norm {
    using M = Map<C, S>;
    Weights gamma, beta;
    Real mean[C], inverse[C];
    Real running_mean[C]{}, running_variance[C];

    explicit Norm(Parameters& parameters) : gamma(parameters.take(C)), beta(parameters.take(C)) {
        std::fill_n(running_variance, C, Real(1));
    }

    void measure(const M& x, const Lanes& lanes) {
        const auto n = static_cast<Real>(lanes.count * S * S);
        for (int c = 0; c < C; ++c) {
            const V* values = x.flat() + c * M::PER_CHANNEL;
            V sum{};
            for (int k = 0; k < M::PER_CHANNEL; ++k) sum += values[k];
            mean[c] = total(sum) / n;
            V squares{};
            for (int k = 0; k < M::PER_CHANNEL; ++k) {
                const V difference = (values[k] - mean[c]) * lanes.live[k % PARTS];
                squares += difference * difference;
            }
            const Real variance = total(squares) / n;
            inverse[c] = 1 / std::sqrt(variance + EPSILON);
            running_mean[c] += RUNNING * (mean[c] - running_mean[c]);
            running_variance[c] += RUNNING * (variance * n / (n - 1) - running_variance[c]);
        }
    }

    void recall() {
        for (int c = 0; c < C; ++c) {
            mean[c] = running_mean[c];
            inverse[c] = 1 / std::sqrt(running_variance[c] + EPSILON);
        }
    }

    /// Added to y. Statistics are those of the batch in training, the running ones otherwise.
    void forward(const M& x, M& y, const Lanes& lanes, bool training) {
        training ? measure(x, lanes) : recall();
        for (int c = 0; c < C; ++c) {
            const Real scale = gamma.value[c] * inverse[c], offset = beta.value[c] - mean[c] * scale;
            const V* from = x.flat() + c * M::PER_CHANNEL;
            V* to = y.flat() + c * M::PER_CHANNEL;
            for (int k = 0; k < M::PER_CHANNEL; ++k) to[k] += (from[k] * scale + offset) * lanes.live[k % PARTS];
        }
    }

    void backward(const M& x, const M& dy, Padded<C, S>& dx, const Lanes& lanes) {
        const auto n = static_cast<Real>(lanes.count * S * S);
        for (int c = 0; c < C; ++c) {
            V sum{}, product{};
            const V* from = x.flat() + c * M::PER_CHANNEL;
            const V* above = dy.flat() + c * M::PER_CHANNEL;
            for (int k = 0; k < M::PER_CHANNEL; ++k) {
                sum += above[k];
                product += above[k] * (from[k] - mean[c]);
            }
            beta.gradient[c] = total(sum);
            gamma.gradient[c] = total(product) * inverse[c];
            const Real scale = gamma.value[c] * inverse[c], level = beta.gradient[c] / n;
            const Real slope = inverse[c] * gamma.gradient[c] / n;
            for (int row = 0; row < S; ++row)
                for (int column = 0; column < S; ++column)
                    for (int h = 0; h < PARTS; ++h)
                        dx.at[c][row + 1][column + 1][h] =
                            scale * lanes.live[h] *
                            (dy.at[c][row][column][h] - level - slope * (x.at[c][row][column][h] - mean[c]));
        }
    }
};

/// Convolution without bias, then batch normalization.
template <int I, int O, int S>
struct ConvNorm {
    int kernel;
    Weights weights;
    Norm<O, S> norm;
    Map<O, S> convolved{};
    Real packed[9 * I * O];

    ConvNorm(Parameters& parameters, int width)
        : kernel(width), weights(parameters.take(width * width * I * O)), norm(parameters) {}

    /// Added to y.
    void forward(const Padded<I, S>& x, Map<O, S>& y, const Lanes& lanes, bool training) {
        const int taps = kernel * kernel;
        for (int o = 0; o < O; ++o)
            for (int k = 0; k < I * taps; ++k) packed[k * O + o] = weights.value[o * I * taps + k];
        kernel == 3 ? convolve<3, I, O, S>(x, packed, convolved) : convolve<1, I, O, S>(x, packed, convolved);
        norm.forward(convolved, y, lanes, training);
    }

    /// Gradients of the weights from that of y; dz becomes that of the convolution's output, its border stays zero.
    void backward_weights(const Padded<I, S>& x, const Map<O, S>& dy, Padded<O, S>& dz, const Lanes& lanes) {
        norm.backward(convolved, dy, dz, lanes);
        kernel == 3 ? correlate<3, I, O, S>(x, dz, weights.gradient) : correlate<1, I, O, S>(x, dz, weights.gradient);
    }

    /// The gradient of x: a convolution with the kernel turned round.
    void backward_inputs(const Padded<O, S>& dz, Map<I, S>& dx) {
        const int taps = kernel * kernel;
        for (int o = 0; o < O; ++o)
            for (int c = 0; c < I; ++c)
                for (int t = 0; t < taps; ++t)
                    packed[(o * taps + taps - 1 - t) * I + c] = weights.value[(o * I + c) * taps + t];
        kernel == 3 ? convolve<3, O, I, S>(dz, packed, dx) : convolve<1, O, I, S>(dz, packed, dx);
    }
};

template <int C, int S>
void rectify(const Map<C, S>& x, Padded<C, S>& y) {
    for (int c = 0; c < C; ++c)
        for (int row = 0; row < S; ++row)
            for (int column = 0; column < S; ++column)
                for (int h = 0; h < PARTS; ++h) {
                    const V v = x.at[c][row][column][h];
                    y.at[c][row + 1][column + 1][h] = v > 0 ? v : V{};
                }
}

/// dx += dy where x was positive.
template <int C, int S>
void unrectify(const Map<C, S>& x, const Map<C, S>& dy, Map<C, S>& dx) {
    for (int k = 0; k < Map<C, S>::SIZE; ++k) dx.flat()[k] += x.flat()[k] > 0 ? dy.flat()[k] : V{};
}

/// How many pixels of a line of S lie under a window of three at this place.
template <int S>
constexpr Real covered(int place) {
    return static_cast<Real>(3 - (place == 0) - (place == S - 1));
}

/// y += sums over windows of 3x3 pixels.
template <int C, int S>
void add_windows(const Map<C, S>& x, Map<C, S>& y) {
    for (int c = 0; c < C; ++c) {
        V across[S][S][PARTS];
        for (int row = 0; row < S; ++row)
            for (int column = 0; column < S; ++column)
                for (int h = 0; h < PARTS; ++h) {
                    V sum = x.at[c][row][column][h];
                    if (column > 0) sum += x.at[c][row][column - 1][h];
                    if (column < S - 1) sum += x.at[c][row][column + 1][h];
                    across[row][column][h] = sum;
                }
        for (int row = 0; row < S; ++row)
            for (int column = 0; column < S; ++column)
                for (int h = 0; h < PARTS; ++h) {
                    V sum = across[row][column][h];
                    if (row > 0) sum += across[row - 1][column][h];
                    if (row < S - 1) sum += across[row + 1][column][h];
                    y.at[c][row][column][h] += sum;
                }
    }
}

template <int C, int S>
void divide_by_covered(const Map<C, S>& x, Map<C, S>& y) {
    for (int c = 0; c < C; ++c)
        for (int row = 0; row < S; ++row)
            for (int column = 0; column < S; ++column)
                for (int h = 0; h < PARTS; ++h)
                    y.at[c][row][column][h] = x.at[c][row][column][h] / (covered<S>(row) * covered<S>(column));
}

}  // namespace
