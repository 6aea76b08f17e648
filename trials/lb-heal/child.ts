// The owner of a process of the trial.
import { fileURLToPath } from 'node:url';
import { ToldChild } from '../../measure/told-child.ts';
import type { Program } from './program.ts';

const script = fileURLToPath(new URL('./program.ts', import.meta.url));

export class Child extends ToldChild {
  /** `file`: where its options are written. */
  constructor(wrapper: readonly string[], file: string, program: Program) {
    super({ script, file, program, wrapper });
  }
}
