// `tidegate clock`: the database's clock, and the trusted time that deletions by age go by.
import type { Noun } from '../../verb.ts';
import { accept, show } from './trusted.ts';

export const clock: Noun = { show, accept };
