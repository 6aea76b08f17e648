// `delete` for parts of a load balancer, with `--preview`. `--wait` waits until every node has the change.
import type { LoadBalancerChangeInput } from '../../../generated/cli/graphql.ts';
import { settled } from '../../balancer.ts';
import type { Option, Options } from '../../option.ts';
import { type DeleteVerb, deleteVerb } from '../../row-verbs.ts';
import type { Verb } from '../../verb.ts';
import { previewed } from './preview.ts';

type PartOptions = Options & { readonly wait: Option<number | undefined>; readonly preview: Option<boolean> };

interface Part {
  readonly id: string;
  /** Id of the load balancer. */
  readonly balancer: string;
}

interface DeletePartVerb<O extends PartOptions> extends Omit<DeleteVerb<O, Part>, 'preview' | 'settle'> {
  /** The field of a preview's input for this deletion. */
  readonly change: Extract<keyof LoadBalancerChangeInput, `${string}Delete`>;
}

export function deletePartVerb<O extends PartOptions>({ change, ...verb }: DeletePartVerb<O>): Verb {
  return deleteVerb<O, Part>({
    ...verb,
    preview: (call, { id, balancer }) =>
      previewed(call as unknown as Parameters<typeof previewed>[0], balancer, {
        [change]: { id },
      } as unknown as LoadBalancerChangeInput),
    settle: (call, commit, { balancer }) => settled(call, commit, balancer),
  });
}
