// AdamW's update of one stretch of a tensor (Loshchilov & Hutter 2019,
// arXiv:1711.05101, as torch.optim.AdamW computes it), and the sum of its
// gradient's squares.
#ifndef LAUREL_HOSTADAMW_KERNEL_H
#define LAUREL_HOSTADAMW_KERNEL_H

#include <stdint.h>

typedef struct {
	float beta1, rest1; // of the gradients' mean, and 1 − beta1
	float beta2, rest2; // of their squares'
	float eps;
	float clip;         // multiplies each gradient
	float keep;         // multiplies each weight
	float step, root;   // the update is step·m / (√v / root + eps)
} lw_factors;

// w, m, v [n] are written over; g [n] is read.
void lw_update(float *w, float *m, float *v, const float *g, int64_t n, lw_factors f);

// Σ g², added up in a fixed order.
double lw_squares(const float *g, int64_t n);

#endif
