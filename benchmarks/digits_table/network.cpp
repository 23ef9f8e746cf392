// Trains one `CellNetwork` of the task `digits`: 6 channels at 8x8 pixels, 12 at 4x4, one cell each.
//
// torch spends nearly all of such a training on calling operations, not on arithmetic. Here the images of a batch lie
// side by side in the lanes of vector registers, so that every loop over pixels and channels is a loop over whole
// vectors, and all of a network stays in the processor's second cache. What is not arithmetic (initial weights, order
// and shifts of images, learning rates) comes from outside, from the code that the task itself trains with.

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

constexpr Real EPSILON = 1e-5;      // Of torch's batch normalization.
constexpr Real RUNNING = 0.1;       // Likewise: weight of a new batch in the running statistics.
constexpr Real SGD_MOMENTUM = 0.9;
constexpr int CLASSES = 10;
enum Operation { NONE, SKIP, CONV_1X1, CONV_3X3, POOL };
constexpr int EDGES = 6, NODES = 4;
constexpr int SOURCE[EDGES] = {0, 0, 1, 0, 1, 2};
constexpr int TARGET[EDGES] = {1, 2, 2, 3, 3, 3};

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

/// A cell of NAS-Bench-201; node 0 is its input, the last node its output.
template <int C, int S>
struct Cell {
    const int* operations;
    Map<C, S> nodes[NODES]{}, gradients[NODES]{}, scratch{};
    Padded<C, S> rectified[NODES]{}, convolution_gradient{};
    std::unique_ptr<ConvNorm<C, C, S>> convolutions[EDGES];
    bool convolved[NODES]{};  // Whether a convolution reads the node.

    Cell(Parameters& parameters, const int* chosen) : operations(chosen) {
        // In the order of (source, target), which is that of the network's parameters.
        for (const int edge : {0, 1, 3, 2, 4, 5})
            if (operations[edge] == CONV_1X1 || operations[edge] == CONV_3X3) {
                convolved[SOURCE[edge]] = true;
                convolutions[edge] =
                    std::make_unique<ConvNorm<C, C, S>>(parameters, operations[edge] == CONV_3X3 ? 3 : 1);
            }
    }

    void forward(const Lanes& lanes, bool training) {
        for (int node = 1; node < NODES; ++node) nodes[node].clear();
        for (int source = 0; source < NODES - 1; ++source) {
            if (convolved[source]) rectify<C, S>(nodes[source], rectified[source]);
            for (int edge = 0; edge < EDGES; ++edge) {
                if (SOURCE[edge] != source) continue;
                Map<C, S>&from = nodes[source], &to = nodes[TARGET[edge]];
                switch (operations[edge]) {
                    case SKIP:
                        for (int k = 0; k < from.SIZE; ++k) to.flat()[k] += from.flat()[k];
                        break;
                    case POOL:
                        scratch.clear();
                        add_windows<C, S>(from, scratch);
                        divide_by_covered<C, S>(scratch, scratch);
                        for (int k = 0; k < from.SIZE; ++k) to.flat()[k] += scratch.flat()[k];
                        break;
                    case CONV_1X1:
                    case CONV_3X3:
                        convolutions[edge]->forward(rectified[source], to, lanes, training);
                        break;
                    default:
                        break;
                }
            }
        }
    }

    /// From the gradient of the last node to those of all others.
    void backward(const Lanes& lanes) {
        for (int node = 0; node < NODES - 1; ++node) gradients[node].clear();
        for (int source = NODES - 2; source >= 0; --source)
            for (int edge = 0; edge < EDGES; ++edge) {
                if (SOURCE[edge] != source) continue;
                Map<C, S>&to = gradients[source], &from = gradients[TARGET[edge]];
                switch (operations[edge]) {
                    case SKIP:
                        for (int k = 0; k < from.SIZE; ++k) to.flat()[k] += from.flat()[k];
                        break;
                    case POOL:
                        divide_by_covered<C, S>(from, scratch);
                        add_windows<C, S>(scratch, to);
                        break;
                    case CONV_1X1:
                    case CONV_3X3:
                        convolutions[edge]->backward_weights(rectified[source], from, convolution_gradient, lanes);
                        convolutions[edge]->backward_inputs(convolution_gradient, scratch);
                        unrectify<C, S>(nodes[source], scratch, to);
                        break;
                    default:
                        break;
                }
            }
    }
};

class Network {
   public:
    Network(const int* operations, const Real* initial, std::size_t n)
        : parameters_(initial, n),
          stem_(parameters_, 1),
          first_(parameters_, operations),
          reduction_(parameters_, 1),
          second_(parameters_, operations),
          norm_(parameters_),
          head_(parameters_.take(CLASSES * 12)),
          bias_(parameters_.take(CLASSES)) {}

    bool complete() const { return parameters_.used == parameters_.values.size(); }

    /// Images (64, LANES), labels (LANES); returns the mean loss before the step.
    Real step(const Real* images, const int32_t* labels, const Lanes& lanes, Real rate, Real decay) {
        forward(images, lanes, true);
        const Real loss = backward(labels, lanes);
        parameters_.step(rate, decay);
        return loss;
    }

    /// Number of images that are classified right; a dead lane has a label that no class has.
    int right(const Real* images, const int32_t* labels) {
        forward(images, Lanes(LANES), false);
        int count = 0;
        for (int lane = 0; lane < LANES; ++lane) {
            int best = 0;
            for (int k = 1; k < CLASSES; ++k)
                if (logits_[k][lane] > logits_[best][lane]) best = k;
            count += best == labels[lane];
        }
        return count;
    }

   private:
    void forward(const Real* images, const Lanes& lanes, bool training) {
        for (int row = 0; row < 8; ++row)
            for (int column = 0; column < 8; ++column) {
                auto* to = reinterpret_cast<Real*>(images_.at[0][row + 1][column + 1]);
                std::copy_n(images + (row * 8 + column) * LANES, LANES, to);
            }
        first_.nodes[0].clear();
        stem_.forward(images_, first_.nodes[0], lanes, training);
        first_.forward(lanes, training);

        rectify<6, 8>(first_.nodes[NODES - 1], reduced_);
        unpooled_.clear();
        reduction_.forward(reduced_, unpooled_, lanes, training);
        for (int c = 0; c < 12; ++c)
            for (int row = 0; row < 4; ++row)
                for (int column = 0; column < 4; ++column)
                    for (int h = 0; h < PARTS; ++h)
                        second_.nodes[0].at[c][row][column][h] =
                            (unpooled_.at[c][2 * row][2 * column][h] + unpooled_.at[c][2 * row][2 * column + 1][h] +
                             unpooled_.at[c][2 * row + 1][2 * column][h] +
                             unpooled_.at[c][2 * row + 1][2 * column + 1][h]) /
                            4;
        second_.forward(lanes, training);

        features_.clear();
        norm_.forward(second_.nodes[NODES - 1], features_, lanes, training);
        for (int c = 0; c < 12; ++c)
            for (int h = 0; h < PARTS; ++h) {
                V sum{};
                for (int k = h; k < features_.PER_CHANNEL; k += PARTS) {
                    const V v = features_.flat()[c * features_.PER_CHANNEL + k];
                    sum += v > 0 ? v : V{};
                }
                pooled_[c][h] = sum / 16;
            }
        for (int k = 0; k < CLASSES; ++k)
            for (int h = 0; h < PARTS; ++h) {
                V sum = V{} + bias_.value[k];
                for (int c = 0; c < 12; ++c) sum += head_.value[k * 12 + c] * pooled_[c][h];
                for (int i = 0; i < PER_VECTOR; ++i) logits_[k][h * PER_VECTOR + i] = sum[i];
            }
    }

    Real backward(const int32_t* labels, const Lanes& lanes) {
        // Of the cross-entropy: softmax less the label, over the size of the batch.
        V errors[CLASSES][PARTS]{};
        double loss = 0;
        for (int lane = 0; lane < lanes.count; ++lane) {
            Real greatest = logits_[0][lane];
            for (int k = 1; k < CLASSES; ++k) greatest = std::max(greatest, logits_[k][lane]);
            Real exponentials[CLASSES], sum = 0;
            for (int k = 0; k < CLASSES; ++k) sum += exponentials[k] = std::exp(logits_[k][lane] - greatest);
            loss += std::log(sum) - (logits_[labels[lane]][lane] - greatest);
            for (int k = 0; k < CLASSES; ++k)
                errors[k][lane / PER_VECTOR][lane % PER_VECTOR] =
                    (exponentials[k] / sum - static_cast<Real>(k == labels[lane])) / static_cast<Real>(lanes.count);
        }

        for (int k = 0; k < CLASSES; ++k) {
            bias_.gradient[k] = 0;
            for (int h = 0; h < PARTS; ++h) bias_.gradient[k] += total(errors[k][h]);
            for (int c = 0; c < 12; ++c) {
                V sum{};
                for (int h = 0; h < PARTS; ++h) sum += errors[k][h] * pooled_[c][h];
                head_.gradient[k * 12 + c] = total(sum);
            }
        }
        Map<12, 4>& above = second_.nodes[NODES - 1];
        for (int c = 0; c < 12; ++c)
            for (int h = 0; h < PARTS; ++h) {
                V sum{};
                for (int k = 0; k < CLASSES; ++k) sum += head_.value[k * 12 + c] * errors[k][h];
                for (int k = h; k < features_.PER_CHANNEL; k += PARTS) {
                    V& v = features_.flat()[c * features_.PER_CHANNEL + k];
                    v = v > 0 ? sum / 16 : V{};
                }
            }
        norm_.backward(above, features_, gradient_, lanes);
        for (int c = 0; c < 12; ++c)
            for (int row = 0; row < 4; ++row)
                for (int column = 0; column < 4; ++column)
                    for (int h = 0; h < PARTS; ++h)
                        second_.gradients[NODES - 1].at[c][row][column][h] = gradient_.at[c][row + 1][column + 1][h];
        second_.backward(lanes);

        for (int c = 0; c < 12; ++c)
            for (int row = 0; row < 8; ++row)
                for (int column = 0; column < 8; ++column)
                    for (int h = 0; h < PARTS; ++h)
                        unpooled_.at[c][row][column][h] = second_.gradients[0].at[c][row / 2][column / 2][h] / 4;
        reduction_.backward_weights(reduced_, unpooled_, reduction_gradient_, lanes);
        reduction_.backward_inputs(reduction_gradient_, scratch_);
        first_.gradients[NODES - 1].clear();
        unrectify<6, 8>(first_.nodes[NODES - 1], scratch_, first_.gradients[NODES - 1]);
        first_.backward(lanes);
        stem_.backward_weights(images_, first_.gradients[0], first_.convolution_gradient, lanes);
        return static_cast<Real>(loss / lanes.count);
    }

    Parameters parameters_;
    ConvNorm<1, 6, 8> stem_;
    Cell<6, 8> first_;
    ConvNorm<6, 12, 8> reduction_;
    Cell<12, 4> second_;
    Norm<12, 4> norm_;
    Weights head_, bias_;

    Padded<1, 8> images_{};
    Padded<6, 8> reduced_{};
    Padded<12, 8> reduction_gradient_{};
    Map<12, 8> unpooled_{};
    Map<6, 8> scratch_{};
    Map<12, 4> features_{};
    Padded<12, 4> gradient_{};
    V pooled_[12][PARTS]{};
    Real logits_[CLASSES][LANES]{};
};

}  // namespace

/// Train one cell, and count right answers on held-out images after some epochs.
///
/// operations: (6), positions in the operations of the space, edges in its order.
/// initial: (n), all parameters in the network's order.
/// images, labels, rates: (epochs * steps, 64, 32), (epochs * steps, 32), (epochs * steps); `batch` images per step.
/// held_out, answers: (blocks, 64, 32), (blocks, 32).
/// measured: (epochs), other than 0 after which to count.
/// losses: (epochs * steps); right: (epochs that are measured, blocks). Both are written.
/// Returns 0, or 1 where n is not the number of parameters of the cell's network.
extern "C" int train(const int32_t* operations, const Real* initial, int32_t n, const Real* images,
                     const int32_t* labels, const Real* rates, Real decay, int32_t batch, int32_t epochs,
                     int32_t steps, const int32_t* measured, const Real* held_out, const int32_t* answers, int32_t blocks, Real* losses,
                     int32_t* right) {
    const auto network = std::make_unique<Network>(operations, initial, n);
    if (!network->complete()) return 1;
    const Lanes lanes(batch);
    for (int epoch = 0; epoch < epochs; ++epoch) {
        for (int step = epoch * steps; step < (epoch + 1) * steps; ++step)
            losses[step] = network->step(images + step * 64 * LANES, labels + step * LANES, lanes, rates[step], decay);
        for (int block = 0; block < blocks && measured[epoch]; ++block)
            *right++ = network->right(held_out + block * 64 * LANES, answers + block * LANES);
    }
    return 0;
}
