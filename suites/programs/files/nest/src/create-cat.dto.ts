import { IsInt, IsString, Max } from 'class-validator';

export class CreateCatDto {
  @IsString() name!: string;

  @IsInt() @Max(30) age!: number;
}
