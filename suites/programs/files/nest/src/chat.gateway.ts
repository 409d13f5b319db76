import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';

@WebSocketGateway({ transports: ['websocket'] })
export class ChatGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string): string {
    return `heard ${text}`;
  }
}
