import { protocolIds, type ProtocolId } from '../packages/wire/src/index.ts';

/** The wire of a captured stream: its file is named after it. */
export function captureWire(name: string): ProtocolId {
  const wire = protocolIds.find((id) => name.startsWith(`${id}-`));
  if (wire === undefined) throw new Error(`${name} is named after no wire`);
  return wire;
}
