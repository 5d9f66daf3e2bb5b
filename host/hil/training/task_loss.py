"""What the answers of a cut network are trained for, importance aside."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from hil.training.recipe import AgileRecipe
from hil.training.split_network import Outputs


def task_loss(out: Outputs, labels: Tensor, recipe: AgileRecipe) -> Tensor:
    """Cross-entropy (scalar) of the fused answer, with what the recipe adds for the local one alone."""
    loss = cross_entropy(out.fused.float(), labels)
    if recipe.local_weight:
        alone = cross_entropy(out.local.float(), labels)
        loss = (1 - recipe.local_weight) * loss + recipe.local_weight * alone
    if recipe.local_distillation:
        taught = distillation(out.local.float(), out.fused.float(), recipe.distillation_temperature)
        loss = loss + recipe.local_distillation * taught
    return loss


def distillation(pupil: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """Temperature² · KL(teacher ‖ pupil) of softened logits (N, classes), a scalar (Hinton et al., 2015).

    The teacher, here the network's own fused answer, learns nothing from it (self-distillation:
    Zhang et al., ICCV 2019).
    """
    wanted = softmax(teacher.detach() / temperature, dim=1)
    found = log_softmax(pupil / temperature, dim=1)
    return temperature**2 * kl_div(found, wanted, reduction="batchmean")
