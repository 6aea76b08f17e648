// All typed mutations of the graph.
import { firewallMutations } from './firewall.ts';
import { networkMutations } from './network.ts';
import { routerMutations } from './router.ts';
import { switchControllerMutations, switchMutations } from './switching.ts';
import type { TypedMutation } from './typed-mutation.ts';
import { wafMutations } from './waf.ts';

export const typedMutations: readonly TypedMutation[] = [
  ...firewallMutations,
  ...wafMutations,
  ...switchMutations,
  ...switchControllerMutations,
  ...networkMutations,
  ...routerMutations,
];
