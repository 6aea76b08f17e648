// `tidegate users`.
import { kindNoun } from '../../kinds/kind-noun.ts';
import type { Noun } from '../../verb.ts';
import { create } from './create.ts';

export const users: Noun = { ...kindNoun('User'), create };
