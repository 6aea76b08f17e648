// `tidegate loadbalancers`.
import { confirmed } from '../../confirmed.ts';
import type { Noun } from '../../verb.ts';
import { autoscale } from './autoscale.ts';
import { create } from './create.ts';
import { decisions } from './decisions.ts';
import { remove } from './delete.ts';
import { failover } from './failover.ts';
import { list } from './list.ts';
import { show } from './show.ts';
import { status } from './status.ts';
import { traffic } from './traffic.ts';
import { update } from './update.ts';

export const loadBalancers: Noun = {
  ...{ list, show, status, traffic, decisions },
  ...{
    create,
    update,
    delete: confirmed('LoadBalancer', remove),
    failover,
    autoscale,
  },
};
