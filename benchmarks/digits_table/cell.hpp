// One cell of operations between nodes, forward and backward.

#pragma once

#include "layers.hpp"

namespace {

enum Operation { NONE, SKIP, CONV_1X1, CONV_3X3, POOL };
constexpr int EDGES = 6, NODES = 4;
constexpr int SOURCE[EDGES] = {0, 0, 1, 0, 1, 2};
constexpr int TARGET[EDGES] = {1, 2, 2, 3, 3, 3};

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

}  // namespace
