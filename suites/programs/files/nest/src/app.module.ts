import { Module, ValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { AppController } from './app.controller.js';
import { AppService } from './app.service.js';
import { CatsController } from './cats.controller.js';
import { ChatGateway } from './chat.gateway.js';

@Module({
  controllers: [AppController, CatsController],
  providers: [AppService, ChatGateway, { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) }],
})
export class AppModule {}
