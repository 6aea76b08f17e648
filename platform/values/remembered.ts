// Results by text, for texts of which few are in use, such as the headers that a kind of client sends.

const most = 200;
const longest = 200;

/** `make` with its last results: it is called again for long texts, and after many different ones. */
export function remembered<Result>(make: (text: string) => Result): (text: string) => Result {
  const known = new Map<string, Result>();
  return (text) => {
    const result = known.get(text);
    if (result !== undefined) return result;
    const made = make(text);
    if (text.length > longest) return made;
    if (known.size >= most) known.clear();
    known.set(text, made);
    return made;
  };
}
