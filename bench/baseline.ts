/** The least that anybody does with a stream: split lines and `JSON.parse` each payload. Answers how many there were. */
export function baseline(chunks: readonly Uint8Array[]): number {
  const decoder = new TextDecoder();
  let carry = '';
  let parsed = 0;
  for (const chunk of chunks) {
    const lines = (carry + decoder.decode(chunk, { stream: true })).split('\n');
    carry = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
      if (JSON.parse(line.slice(6)) !== null) parsed++;
    }
  }
  return parsed;
}
