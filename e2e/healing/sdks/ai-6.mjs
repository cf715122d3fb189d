import * as ai from 'ai-6';
import { createOpenAI } from 'ai-sdk-openai-3';
import { aiSdkClients } from './ai-sdk.mjs';

export const clients = aiSdkClients(ai, createOpenAI);
