// How a child process ends with the process that starts it, however that one ends: the kernel sends the child a signal (PR_SET_PDEATHSIG,
// prctl(2)). The signal belongs to the thread that starts the child, and is lost if the child gives up root by itself.

interface EndingOptions {
  /** Further ones of setpriv(1), for example of another account. */
  readonly flags?: readonly string[];
  readonly signal?: 'SIGKILL' | 'SIGTERM';
}

/** The words before a command. */
export function endsWithParent({ flags = [], signal = 'SIGKILL' }: EndingOptions = {}): readonly string[] {
  return ['setpriv', '--pdeathsig', signal.slice(3), ...flags, '--'];
}

/** The same for `spawn`: a command and its arguments. */
export function endingWithParent(
  command: string,
  args: readonly string[],
  options: EndingOptions = {},
): [string, string[]] {
  const [program = '', ...words] = [...endsWithParent(options), command, ...args];
  return [program, words];
}
