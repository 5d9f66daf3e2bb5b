"""ST's unmodified HAL drivers for timers and DMA run on the twin as they would on the board."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hil.twin import Twin, load_image
from hil_tests.twin import firmware
from hil_tests.twin.conftest import words
from hil_tests.twin.cube_timers import build_cube

pytestmark = pytest.mark.twin

Boot = Callable[[str], Twin]


@pytest.fixture(scope="module")
def boot(tmp_path_factory: pytest.TempPathFactory) -> Boot:
    """A twin at the reset vector of a HAL program."""
    if not firmware.have_compiler():
        pytest.skip(f"{firmware.GCC} is not on PATH")
    work = tmp_path_factory.mktemp("cube")
    return lambda source: Twin(load_image(build_cube(source, work)))


TIMER = r"""
TIM_HandleTypeDef htim;
static void timer(TIM_TypeDef *which, IRQn_Type irq, uint32_t prescaler, uint32_t period) {
    __HAL_RCC_TIM1_CLK_ENABLE(); __HAL_RCC_TIM2_CLK_ENABLE(); __HAL_RCC_TIM3_CLK_ENABLE();
    __HAL_RCC_TIM5_CLK_ENABLE(); __HAL_RCC_TIM6_CLK_ENABLE(); __HAL_RCC_TIM10_CLK_ENABLE();
    htim.Instance = which;
    htim.Init.Prescaler = prescaler - 1;
    htim.Init.Period = period - 1;
    htim.Init.CounterMode = TIM_COUNTERMODE_UP;
    htim.Init.AutoReloadPreload = TIM_AUTORELOAD_PRELOAD_ENABLE;
    HAL_NVIC_SetPriority(irq, 1, 0);
    HAL_NVIC_EnableIRQ(irq);
}
"""


@pytest.mark.parametrize(
    ("instance", "irq", "handler"),
    [
        ("TIM2", "TIM2_IRQn", "TIM2_IRQHandler"),
        ("TIM6", "TIM6_DAC_IRQn", "TIM6_DAC_IRQHandler"),
        ("TIM1", "TIM1_UP_TIM10_IRQn", "TIM1_UP_TIM10_IRQHandler"),
        ("TIM10", "TIM1_UP_TIM10_IRQn", "TIM1_UP_TIM10_IRQHandler"),
    ],
)
def test_base_interrupts_come_once_a_millisecond(boot: Boot, instance: str, irq: str, handler: str) -> None:
    twin = boot(
        TIMER
        + f"""
        void {handler}(void) {{ HAL_TIM_IRQHandler(&htim); }}
        void HAL_TIM_PeriodElapsedCallback(TIM_HandleTypeDef *h) {{
            out[0]++; out[1] = HAL_GetTick() - out[2];
        }}
        int main(void) {{
            HAL_Init(); timer({instance}, {irq}, 16, 1000);
            check(HAL_TIM_Base_Init(&htim)); __HAL_TIM_CLEAR_FLAG(&htim, TIM_FLAG_UPDATE);
            out[2] = HAL_GetTick();
            check(HAL_TIM_Base_Start_IT(&htim));
            HAL_Delay(50);
            check(HAL_TIM_Base_Stop_IT(&htim)); out[3] = out[0];
            for (;;) __WFI();
        }}
    """
    )
    twin.run(0.2)
    count, ticks, _, stopped, *_ = words(twin)
    assert count == stopped
    assert 50 <= count <= 52
    assert abs(ticks - count) <= 1
    assert twin.warnings == []


def test_output_compare_calls_back_for_each_channel(boot: Boot) -> None:
    twin = boot(
        TIMER
        + """
        void TIM3_IRQHandler(void) { HAL_TIM_IRQHandler(&htim); }
        void HAL_TIM_OC_DelayElapsedCallback(TIM_HandleTypeDef *h) {
            int n = h->Channel == HAL_TIM_ACTIVE_CHANNEL_1 ? 0 : 1;
            out[n]++;
            __HAL_TIM_SET_COMPARE(h, n ? TIM_CHANNEL_4 : TIM_CHANNEL_1,
                (HAL_TIM_ReadCapturedValue(h, n ? TIM_CHANNEL_4 : TIM_CHANNEL_1) + (n ? 500 : 100)) & 0xFFFF);
        }
        int main(void) {
            HAL_Init(); timer(TIM3, TIM3_IRQn, 16, 0x10000);
            check(HAL_TIM_OC_Init(&htim));
            TIM_OC_InitTypeDef oc = {.OCMode = TIM_OCMODE_TOGGLE, .Pulse = 100};
            check(HAL_TIM_OC_ConfigChannel(&htim, &oc, TIM_CHANNEL_1));
            oc.Pulse = 500;
            check(HAL_TIM_OC_ConfigChannel(&htim, &oc, TIM_CHANNEL_4));
            __HAL_TIM_CLEAR_FLAG(&htim, TIM_FLAG_CC1 | TIM_FLAG_CC4);
            check(HAL_TIM_OC_Start_IT(&htim, TIM_CHANNEL_1));
            check(HAL_TIM_OC_Start_IT(&htim, TIM_CHANNEL_4));
            while (__HAL_TIM_GET_COUNTER(&htim) < 10050) {}
            out[2] = 1;
            check(HAL_TIM_OC_Stop_IT(&htim, TIM_CHANNEL_1));
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.0103)
    assert words(twin)[:3] == [100, 20, 1]


def test_pwm_of_an_advanced_timer_has_its_duty_on_the_pin(boot: Boot) -> None:
    twin = boot(
        TIMER
        + """
        int main(void) {
            HAL_Init(); timer(TIM1, TIM1_CC_IRQn, 1, 1000);
            htim.Init.CounterMode = TIM_COUNTERMODE_CENTERALIGNED1;
            check(HAL_TIM_PWM_Init(&htim));
            TIM_OC_InitTypeDef oc = {.OCMode = TIM_OCMODE_PWM1, .Pulse = 250};
            check(HAL_TIM_PWM_ConfigChannel(&htim, &oc, TIM_CHANNEL_2));
            check(HAL_TIM_PWM_Start(&htim, TIM_CHANNEL_2));
            out[0] = 1;
            for (;;) {}
        }
    """
    )
    twin.run(0.001)
    assert words(twin)[0] == 1
    timer, levels = twin.peripherals.timers["TIM1"], []
    for step in range(500):
        twin.run(0.001 + step * 0.5e-6)
        levels.append(timer.output(2))
    assert sum(bool(level) for level in levels) / 500 == pytest.approx(0.25, abs=0.01)
    assert None not in levels


def test_input_capture_measures_a_period_on_a_pin(boot: Boot) -> None:
    twin = boot(
        TIMER
        + """
        void TIM5_IRQHandler(void) { HAL_TIM_IRQHandler(&htim); }
        void HAL_TIM_IC_CaptureCallback(TIM_HandleTypeDef *h) {
            uint32_t now = HAL_TIM_ReadCapturedValue(h, TIM_CHANNEL_1);
            out[1] = now - out[2]; out[2] = now; out[0]++;
        }
        int main(void) {
            HAL_Init(); timer(TIM5, TIM5_IRQn, 16, 0);
            check(HAL_TIM_IC_Init(&htim));
            TIM_IC_InitTypeDef ic = {.ICPolarity = TIM_ICPOLARITY_RISING,
                .ICSelection = TIM_ICSELECTION_DIRECTTI, .ICPrescaler = TIM_ICPSC_DIV1};
            check(HAL_TIM_IC_ConfigChannel(&htim, &ic, TIM_CHANNEL_1));
            check(HAL_TIM_IC_Start_IT(&htim, TIM_CHANNEL_1));
            for (;;) __WFI();
        }
    """
    )
    timer = twin.peripherals.timers["TIM5"]
    for edge in range(8):
        twin.run(0.002 + edge * 0.00025)
        timer.drive("CH1", edge % 2 == 0)
    twin.run(0.005)
    count, period, *_ = words(twin)
    assert (count, period) == (4, pytest.approx(500, abs=1))


MEMORY_COPY = r"""
DMA_HandleTypeDef hdma;
uint32_t source[256], target[256];
static void memory_dma(void) {
    __HAL_RCC_DMA2_CLK_ENABLE();
    hdma.Instance = DMA2_Stream0;
    hdma.Init = (DMA_InitTypeDef){.Channel = DMA_CHANNEL_0, .Direction = DMA_MEMORY_TO_MEMORY,
        .PeriphInc = DMA_PINC_ENABLE, .MemInc = DMA_MINC_ENABLE,
        .PeriphDataAlignment = DMA_PDATAALIGN_WORD, .MemDataAlignment = DMA_MDATAALIGN_WORD,
        .Mode = DMA_NORMAL, .Priority = DMA_PRIORITY_HIGH, .FIFOMode = DMA_FIFOMODE_ENABLE,
        .FIFOThreshold = DMA_FIFO_THRESHOLD_FULL, .MemBurst = DMA_MBURST_INC4,
        .PeriphBurst = DMA_PBURST_INC4};
    check(HAL_DMA_Init(&hdma));
    for (int i = 0; i < 256; i++) source[i] = i * 2654435761u;
}
static uint32_t wrong(void) {
    uint32_t n = 0; for (int i = 0; i < 256; i++) n += source[i] != target[i]; return n;
}
"""


def test_memory_is_copied_by_polling_and_by_interrupt(boot: Boot) -> None:
    twin = boot(
        MEMORY_COPY
        + """
        static void half(DMA_HandleTypeDef *h) { out[4]++; }
        static void done(DMA_HandleTypeDef *h) { out[5]++; }
        void DMA2_Stream0_IRQHandler(void) { HAL_DMA_IRQHandler(&hdma); }
        int main(void) {
            HAL_Init(); memory_dma();
            check(HAL_DMA_Start(&hdma, (uint32_t)source, (uint32_t)target, 256));
            check(HAL_DMA_PollForTransfer(&hdma, HAL_DMA_FULL_TRANSFER, 10));
            out[0] = wrong() + 1;
            for (int i = 0; i < 256; i++) target[i] = 0;
            HAL_NVIC_EnableIRQ(DMA2_Stream0_IRQn);
            check(HAL_DMA_RegisterCallback(&hdma, HAL_DMA_XFER_HALFCPLT_CB_ID, half));
            check(HAL_DMA_RegisterCallback(&hdma, HAL_DMA_XFER_CPLT_CB_ID, done));
            check(HAL_DMA_Start_IT(&hdma, (uint32_t)source, (uint32_t)target, 256));
            out[1] = hdma.State == HAL_DMA_STATE_BUSY;
            while (!out[5]) {}
            out[2] = wrong() + 1; out[3] = hdma.State == HAL_DMA_STATE_READY;
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.02)
    assert words(twin)[:6] == [1, 1, 1, 1, 1, 1]
    assert twin.warnings == []


def test_a_bad_address_ends_in_the_error_callback(boot: Boot) -> None:
    twin = boot(
        MEMORY_COPY
        + """
        static void failed(DMA_HandleTypeDef *h) { out[0]++; out[1] = h->ErrorCode; }
        void DMA2_Stream0_IRQHandler(void) { HAL_DMA_IRQHandler(&hdma); }
        int main(void) {
            HAL_Init(); memory_dma();
            HAL_NVIC_EnableIRQ(DMA2_Stream0_IRQn);
            check(HAL_DMA_RegisterCallback(&hdma, HAL_DMA_XFER_ERROR_CB_ID, failed));
            check(HAL_DMA_Start_IT(&hdma, (uint32_t)source, 0x30000000, 256));
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.01)
    assert words(twin)[:2] == [1, 1]  # HAL_DMA_ERROR_TE


UART = r"""
UART_HandleTypeDef huart;
DMA_HandleTypeDef hrx, htx;
static void uart(void) {
    __HAL_RCC_USART1_CLK_ENABLE(); __HAL_RCC_DMA2_CLK_ENABLE();
    huart.Instance = USART1;
    huart.Init = (UART_InitTypeDef){.BaudRate = 115200, .WordLength = UART_WORDLENGTH_8B,
        .StopBits = UART_STOPBITS_1, .Parity = UART_PARITY_NONE, .Mode = UART_MODE_TX_RX};
    check(HAL_UART_Init(&huart));
    DMA_InitTypeDef dma = {.Channel = DMA_CHANNEL_4, .MemInc = DMA_MINC_ENABLE, .Priority = DMA_PRIORITY_LOW};
    hrx.Instance = DMA2_Stream2; hrx.Init = dma; hrx.Init.Mode = DMA_CIRCULAR;
    htx.Instance = DMA2_Stream7; htx.Init = dma; htx.Init.Direction = DMA_MEMORY_TO_PERIPH;
    HAL_NVIC_EnableIRQ(DMA2_Stream2_IRQn); HAL_NVIC_EnableIRQ(DMA2_Stream7_IRQn);
    HAL_NVIC_EnableIRQ(USART1_IRQn);
}
void DMA2_Stream2_IRQHandler(void) { HAL_DMA_IRQHandler(&hrx); }
void DMA2_Stream7_IRQHandler(void) { HAL_DMA_IRQHandler(&htx); }
void USART1_IRQHandler(void) { HAL_UART_IRQHandler(&huart); }
"""


def test_a_double_buffered_uart_receives_in_turns(boot: Boot) -> None:
    twin = boot(
        UART
        + """
        uint8_t first[16], second[16], kept[128];
        static void take(uint8_t *from) { for (int i = 0; i < 16; i++) kept[out[0]++] = from[i]; }
        static void on_first(DMA_HandleTypeDef *h) { take(first); out[1]++; }
        static void on_second(DMA_HandleTypeDef *h) { take(second); out[2]++; }
        int main(void) {
            HAL_Init(); uart();
            check(HAL_DMA_Init(&hrx));
            check(HAL_DMA_RegisterCallback(&hrx, HAL_DMA_XFER_CPLT_CB_ID, on_first));
            check(HAL_DMA_RegisterCallback(&hrx, HAL_DMA_XFER_M1CPLT_CB_ID, on_second));
            check(HAL_DMAEx_MultiBufferStart_IT(&hrx, (uint32_t)&USART1->RDR, (uint32_t)first,
                (uint32_t)second, 16));
            SET_BIT(USART1->CR3, USART_CR3_DMAR);
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.001)
    data = bytes(range(80))
    twin.uart(1).feed(data)
    twin.run(0.02)
    assert words(twin)[:3] == [80, 3, 2]
    assert twin.read(twin.symbol("kept"), 80) == data


def test_circular_transmission_sends_what_was_refilled_behind_it(boot: Boot) -> None:
    twin = boot(
        UART
        + """
        uint8_t buffer[32]; uint8_t next;
        static void fill(uint8_t *to) { for (int i = 0; i < 16; i++) to[i] = next++; }
        void HAL_UART_TxHalfCpltCallback(UART_HandleTypeDef *h) { fill(buffer); out[0]++; }
        void HAL_UART_TxCpltCallback(UART_HandleTypeDef *h) { fill(buffer + 16); out[1]++; }
        int main(void) {
            HAL_Init(); uart(); htx.Init.Mode = DMA_CIRCULAR;
            check(HAL_DMA_Init(&htx)); __HAL_LINKDMA(&huart, hdmatx, htx);
            fill(buffer); fill(buffer + 16);
            check(HAL_UART_Transmit_DMA(&huart, buffer, 32));
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.0305)
    sent = twin.uart(1).take_bytes()
    assert len(sent) > 300
    assert sent == bytes(n & 0xFF for n in range(len(sent)))


def test_a_line_goes_both_ways_by_dma_and_idle(boot: Boot) -> None:
    twin = boot(
        UART
        + """
        uint8_t line[64];
        void HAL_UARTEx_RxEventCallback(UART_HandleTypeDef *h, uint16_t size) {
            if (size == sizeof line / 2) return;
            out[0] = size; HAL_UART_AbortReceive(h);
            check(HAL_UART_Transmit_DMA(h, line, size));
        }
        int main(void) {
            HAL_Init(); uart();
            check(HAL_DMA_Init(&hrx)); check(HAL_DMA_Init(&htx));
            __HAL_LINKDMA(&huart, hdmarx, hrx); __HAL_LINKDMA(&huart, hdmatx, htx);
            check(HAL_UARTEx_ReceiveToIdle_DMA(&huart, line, sizeof line));
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.001)
    twin.uart(1).feed(b"echo this line")
    twin.run(0.02)
    assert words(twin)[0] == 14
    assert twin.uart(1).take_bytes() == b"echo this line"


def test_a_timer_feeds_compare_values_by_dma(boot: Boot) -> None:
    twin = boot(
        TIMER
        + """
        DMA_HandleTypeDef hdma;
        const uint32_t duties[] = {100, 200, 300, 400};
        void DMA1_Stream5_IRQHandler(void) { HAL_DMA_IRQHandler(&hdma); }
        void HAL_TIM_PWM_PulseFinishedCallback(TIM_HandleTypeDef *h) { out[0]++; out[1] = TIM2->CCR1; }
        int main(void) {
            HAL_Init(); timer(TIM2, TIM2_IRQn, 16, 1000);
            __HAL_RCC_DMA1_CLK_ENABLE(); HAL_NVIC_EnableIRQ(DMA1_Stream5_IRQn);
            hdma.Instance = DMA1_Stream5;
            hdma.Init = (DMA_InitTypeDef){.Channel = DMA_CHANNEL_3, .Direction = DMA_MEMORY_TO_PERIPH,
                .MemInc = DMA_MINC_ENABLE, .PeriphDataAlignment = DMA_PDATAALIGN_WORD,
                .MemDataAlignment = DMA_MDATAALIGN_WORD};
            check(HAL_DMA_Init(&hdma)); __HAL_LINKDMA(&htim, hdma[TIM_DMA_ID_CC1], hdma);
            check(HAL_TIM_PWM_Init(&htim));
            TIM_OC_InitTypeDef oc = {.OCMode = TIM_OCMODE_PWM1, .Pulse = 50};
            check(HAL_TIM_PWM_ConfigChannel(&htim, &oc, TIM_CHANNEL_1));
            check(HAL_TIM_PWM_Start_DMA(&htim, TIM_CHANNEL_1, (uint32_t *)duties, 4));
            for (;;) __WFI();
        }
    """
    )
    twin.run(0.01)
    assert words(twin)[:2] == [1, 400]
