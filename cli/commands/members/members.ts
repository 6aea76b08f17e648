// `tidegate members`: the servers of a pool.
import { kindVerb } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';
import { create, drain, list, remove, traffic, update } from './verbs.ts';

export const members: Noun = {
  ...{ list, show: kindVerb('PoolMember', 'show'), create, update, delete: remove, drain, traffic },
};
