import { createOpenAI } from '@ai-sdk/openai';
import * as ai from 'ai';
import { aiSdkClients } from './ai-sdk.mjs';

export const clients = aiSdkClients(ai, createOpenAI);
