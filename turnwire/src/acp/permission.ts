import type { PermissionOption, RequestPermissionRequest, RequestPermissionResponse } from '@agentclientprotocol/sdk';
import type { ApprovalDecision, ApprovalRequest } from '@turnwire/agent';
import { visible } from '@turnwire/wire/internal/base/printable';
import { diffOf, textContent } from './updates.ts';

const options = [
  { optionId: 'once', name: 'Allow once', kind: 'allow_once' },
  { optionId: 'session', name: 'Allow for this session', kind: 'allow_always' },
  { optionId: 'deny', name: 'Deny', kind: 'reject_once' },
  { optionId: 'never', name: 'Deny for this session', kind: 'reject_always' },
] as const satisfies readonly PermissionOption[];

/** The question as an editor shows it: with every character that can be hidden, and with why it is asked. */
export function permissionQuestion(
  sessionId: string,
  toolCallId: string,
  request: ApprovalRequest,
): RequestPermissionRequest {
  return {
    sessionId,
    toolCall: {
      toolCallId,
      title: visible(request.title),
      // Editors show the content; of `_meta` they show nothing.
      content: [textContent(visible(request.reason)), ...(request.changes ?? []).flatMap(diffOf)],
      _meta: { reason: request.reason },
    },
    options: [...options],
  };
}

/** Anything but a clear yes is a no. */
export function decisionOf({ outcome }: RequestPermissionResponse): ApprovalDecision {
  const chosen = outcome.outcome === 'selected' ? outcome.optionId : 'deny';
  if (chosen === 'once' || chosen === 'session') return { type: chosen };
  return chosen === 'never' ? { type: 'deny', forSession: true } : { type: 'deny' };
}
