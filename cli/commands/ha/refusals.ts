// Next steps after a refusal by a cluster of hosts, for refusals without a remedy in their message.

const next: Readonly<Record<string, string>> = {
  NOT_FOUND: '"tidegate ha status" lists the hosts',
  IN_PROGRESS: '"tidegate ha status" shows when it has ended',
  NOT_IN_SYNC: 'wait until it has every write with "tidegate ha status --wait 60", or look there for the reason',
  UNFIT: '"tidegate ha status" shows when it can be',
  SILENT: '"tidegate ha status" shows which hosts report; start its agent there with "tidegate ha agent"',
  PRIMARY_LIVES: '"tidegate ha switchover" moves the writes without a loss',
  LATE: '"tidegate ha status" shows whether it was done after all',
};

/** `CODE: message`, and the next step unless the message names a command. */
export function refusalWords({ code, message }: { readonly code: string; readonly message: string }): string {
  const hint = message.includes('"tidegate ') || message.includes('give --') ? undefined : next[code];
  return `${code}: ${message}${hint === undefined ? '' : `; ${hint}`}`;
}
