// `tidegate members`: the servers of a pool.
import type { Noun } from '../../verb.ts';
import { create, drain, list, remove, traffic, update } from './verbs.ts';

export const members: Noun = { list, create, update, delete: remove, drain, traffic };
