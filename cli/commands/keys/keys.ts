// `tidegate keys`: the key files. Values under older keys stay readable.
import type { Noun } from '../../verb.ts';
import { create, list } from './key-file.ts';
import { reseal } from './reseal.ts';
import { restore } from './restore.ts';
import { rotate } from './rotate.ts';

export const keys: Noun = { list, create, rotate, reseal, restore };
