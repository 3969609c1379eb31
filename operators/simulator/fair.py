"""The latent fair prices, advanced lazily by exact transitions over the time that has passed."""

import math

from operators.kernel import kernel, table
from operators.simulator.generator import GENERATOR, exp, normals
from operators.simulator.market import GROUP, MEMBER
from operators.simulator.state import Table


@kernel
def fair_price(ctx: int, i: int, ts: int) -> float:
    """Bring member `i` and its group's factor to `ts` (ns since midnight, never backwards); its fair price in ticks.

    Over t seconds Brownian motion moves by N(0, volatility² t); an Ornstein-Uhlenbeck process decays by
    d = exp(-rate t) and moves by N(0, deviation² (1 - d²)).
    """
    member = table(ctx, Table.MEMBERS, MEMBER)[i]
    group = table(ctx, Table.GROUPS, GROUP)[member.group]
    walk, own = normals(table(ctx, Table.GENERATOR, GENERATOR))
    group.factor += group.volatility * math.sqrt((ts - group.ts) * 1e-9) * walk
    group.ts = ts
    decay = exp(-group.rate * (ts - member.ts) * 1e-9)
    member.own = decay * member.own + member.deviation * math.sqrt(1.0 - decay * decay) * own
    member.ts = ts
    return member.price + member.beta * group.factor + member.own
