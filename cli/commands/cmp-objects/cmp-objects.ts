// `tidegate cmp-objects`: the objects of a CMP in each subgraph.
import type { Noun } from '../../verb.ts';
import { show } from './show.ts';

export const cmpObjects: Noun = { show };
