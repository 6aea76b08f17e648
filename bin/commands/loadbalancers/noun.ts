// `tidegate loadbalancers`.
import type { Noun } from '../../cli/verb.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { list } from './list.ts';
import { show } from './show.ts';
import { update } from './update.ts';

export const loadBalancers: Noun = { list, show, create, update, delete: remove };
