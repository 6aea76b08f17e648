// Starts a guard of this process: a shell that waits, and removes what the process claims when it has been killed.
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { join } from 'node:path';

export interface Guard {
  /** Called when nothing is claimed any more. */
  end(): void;
}

const program = join(import.meta.dirname, 'guard.sh');
const tidegate = join(import.meta.dirname, '..', '..', 'bin', 'tidegate.ts');
const plainEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

/** `claims`: the file of this process. */
export function startGuard(claims: string): Guard {
  const cleaning = [process.execPath, tidegate, 'lab', 'clean'];
  // In a separate session, so that it outlives the terminal, and ignores a Ctrl-C there.
  const guard = spawn('sh', [program, claims, ...cleaning], {
    ...{ detached: true, cwd: '/', env: plainEnvironment, stdio: ['pipe', 'ignore', 'ignore'] },
  });
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  (guard.stdin as Socket | null)?.unref();
  return { end: () => guard.stdin?.end() };
}
