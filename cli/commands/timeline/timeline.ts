// `tidegate timeline`: steps after the database lost writes.
import type { Noun } from '../../verb.ts';
import { lift } from './lift.ts';

export const timeline: Noun = { lift };
