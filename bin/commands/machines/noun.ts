// `tidegate machines`: processes on other hosts, each with its own identity.
import type { Noun } from '../../cli/verb.ts';
import { create } from './create.ts';
import { issue } from './issue.ts';
import { list } from './list.ts';
import { revoke } from './revoke.ts';
import { show } from './show.ts';

export const machines: Noun = { list, show, create, revoke, issue };
