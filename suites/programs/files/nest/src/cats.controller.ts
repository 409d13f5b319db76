import { Body, Controller, Post } from '@nestjs/common';
import { CreateCatDto } from './create-cat.dto.js';

@Controller('cats')
export class CatsController {
  @Post()
  create(@Body() cat: CreateCatDto): { created: string; isDto: boolean } {
    return { created: `${cat.name}, ${cat.age}`, isDto: cat instanceof CreateCatDto };
  }
}
