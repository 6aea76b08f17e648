// mariadb 3.4.5 leaves a rejection unhandled when a connection breaks off while its session is being set up (lib/connection.js,
// the end of authSucceedHandler; whoever waits for the connection is told of it apart). Node ends a process for that, and a
// database that is killed at the wrong moment would end every process that was just connecting to it.

import type { SqlError } from 'mariadb';

/** Lets those rejections pass, and any other end the process as it would without us. Call it once, where a program begins. */
export function toleratesBrokenConnects(program: NodeJS.Process): void {
  program.on('unhandledRejection', (reason) => {
    if (isBrokenConnect(reason)) return;
    // Becomes an uncaught exception: what an unhandled rejection is by default.
    throw reason;
  });
}

/** Fatal: the connection is gone with it. By shape, not by class: the reason may come from another realm. */
export function isBrokenConnect(reason: unknown): boolean {
  const { name, fatal } = (reason ?? {}) as Partial<SqlError>;
  return name === 'SqlError' && fatal === true;
}
