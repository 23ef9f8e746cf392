// Trains one `CellNetwork` of the task `digits`: 6 channels at 8x8 pixels, 12 at 4x4, one cell each.
//
// torch spends nearly all of such a training on calling operations, not on arithmetic. Here the images of a batch lie
// side by side in the lanes of vector registers, so that every loop over pixels and channels is a loop over whole
// vectors, and all of a network stays in the processor's second cache. What is not arithmetic (initial weights, order
// and shifts of images, learning rates) comes from outside, from the code that the task itself trains with.

#include "cell.hpp"

namespace {

constexpr int CLASSES = 10;

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
