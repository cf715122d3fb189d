import OpenAI from 'openai-6';
import { openaiClients } from './openai.mjs';

export const clients = openaiClients(OpenAI);
